"""What `python manage.py up` does: check the ground, start every process, keep them running, stop them."""

// The menus of the breadcrumb are the browser's own popovers; here they find their place below their button.

const EDGE = 8;

function place(event) {
  const menu = event.target;
  if (event.newState !== 'open' || !menu.matches('.crumb-menu')) return;
  const door = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
  const left = Math.min(door.left, innerWidth - menu.offsetWidth - EDGE);
  menu.style.left = `${Math.max(EDGE, left)}px`;
  menu.style.top = `${door.bottom + 4}px`;
}

// Neither the toggling of a popover nor the swap into it bubbles up to the document.
document.addEventListener('toggle', place, true);
document.addEventListener('htmx:afterSettle', (event) => {
  if (event.target.matches?.('.crumb-menu')) place({ target: event.target, newState: event.target.matches(':popover-open') ? 'open' : '' });
});

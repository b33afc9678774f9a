// Small pieces of page: elements from data, never from markup in strings.

const SPRITE = new URL('../vendor/tabler-icons/sprite.svg', import.meta.url).pathname;
const CSRF_COOKIE = 'console_csrf=';
const SVG = 'http://www.w3.org/2000/svg';

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

// Whoever signed in again in another tab has a new one, in the cookie; the page still has the old one.
export function csrfToken() {
  const cookie = document.cookie.split('; ').find((one) => one.startsWith(CSRF_COOKIE));
  if (cookie) return cookie.slice(CSRF_COOKIE.length);
  return JSON.parse(document.body.getAttribute('hx-headers') || '{}')['X-CSRFToken'] ?? '';
}

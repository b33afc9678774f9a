// The words of the page's language, rendered by the server.

let catalog = null;

export function word(name, values = {}) {
  catalog ??= JSON.parse(document.getElementById('words').textContent);
  const text = catalog[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (match, key) => (key in values ? String(values[key]) : match));
}

// What this page has heard last of each job: an announcement may be overtaken by one that was read after it.

const FINAL = ['done', 'canceled'];

const heard = new Map();

// Whether a message is to be followed; one without a version is taken as it comes.
export function isNews({ id, state, version }) {
  const last = heard.get(id);
  if (last && (version < last.version || (FINAL.includes(last.state) && state !== last.state))) return false;
  heard.set(id, { state, version: version ?? last?.version });
  return true;
}

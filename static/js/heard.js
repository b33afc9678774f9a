// What this page has heard last of each job: an announcement may be overtaken by one that was read after it.
// A job that is done runs again only when somebody has what failed tried once more, which is news of its own.

const FINAL = ['done', 'canceled'];

const heard = new Map();

// Whether a message is to be followed; one without a version is taken as it comes.
export function isNews({ id, state, version }) {
  const last = heard.get(id);
  if (last && (version < last.version || (FINAL.includes(last.state) && state !== last.state && !(version > last.version)))) return false;
  heard.set(id, { state, version: version ?? last?.version });
  return true;
}

// Requests to the console's own JSON endpoints, with failures as sentences.

import { csrfToken } from './dom.js';
import { word } from './strings.js';

export class Refusal extends Error {
  constructor(status, body) {
    super(body.error || (status === 401 ? word('signed-out') : word('refused', { status })));
    this.status = status;
    this.code = body.code ?? '';
    this.requestId = body.request_id ?? '';
    this.exists = body.exists ?? null;
  }

  // The same request may succeed later: the network, a restart, a busy store.
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export async function ask(method, url, body) {
  const headers = { Accept: 'application/json', 'X-CSRFToken': csrfToken() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body), credentials: 'same-origin' });
  } catch {
    throw new Refusal(0, { error: word('offline') });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer);
  return answer;
}

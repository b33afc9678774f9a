// Sends parts to the store of one bucket, and sums them up meanwhile. Loaded with a policy of its own, which
// opens that store's host to this worker alone.

import { Crc64 } from './crc64_sum.js';

const PIECE = 2 * 1024 * 1024;

const requests = new Map();

async function sum(blob) {
  const crc = new Crc64();
  for (let at = 0; at < blob.size; at += PIECE) {
    crc.update(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()));
  }
  return crc.text;
}

// No header of ours and no type of the body: so the store's rule need not allow any.
function put(id, url, blob) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    request.upload.onprogress = (event) => postMessage({ id, loaded: event.loaded });
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => resolve({ status: 0 });
    request.onabort = () => resolve({ status: -1 });
    requests.set(id, request);
    request.send(blob);
  });
}

// What the store's rule hides from the page is empty here.
function answerOf(request) {
  const header = (name) => request.getResponseHeader(name) ?? '';
  const code = /<Code>([^<]*)<\/Code>/.exec(request.status < 300 ? '' : request.responseText);
  return {
    status: request.status,
    code: code ? code[1] : '',
    etag: header('ETag'),
    crc64: header('x-cos-hash-crc64ecma'),
    retryAfterS: Number(header('Retry-After')) || 0,
  };
}

async function onMessage({ data: { id, url, blob } }) {
  if (!blob) {
    requests.get(id)?.abort();
    return;
  }
  const own = sum(blob).catch(() => '');
  const answer = await put(id, url, blob);
  requests.delete(id);
  postMessage({ id, answer: { ...answer, own: await own } });
}

addEventListener('message', onMessage);

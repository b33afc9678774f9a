// One slice on its way: raw bytes in one PUT, with the bytes that have left so far.

export class SliceFailed extends Error {
  constructor(status, { error = '', retryAfterS = 0 } = {}) {
    super(error || `slice: ${status}`);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

// XMLHttpRequest, because fetch does not tell how much of a body has been sent.
export function putSlice(url, blob, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('PUT', url);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(failureOf(request));
    };
    request.onerror = () => reject(new SliceFailed(0));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    request.onloadend = () => signal.removeEventListener('abort', stop);
    if (signal.aborted) {
      reject(new DOMException('stopped', 'AbortError'));
      return;
    }
    signal.addEventListener('abort', stop);
    request.send(blob);
  });
}

function failureOf(request) {
  let error = '';
  try {
    error = JSON.parse(request.responseText).error;
  } catch {
    // A proxy in between may answer with a page; the status says enough.
  }
  return new SliceFailed(request.status, { error, retryAfterS: Number(request.getResponseHeader('Retry-After')) || 0 });
}

// The way of slices: the browser sends them to the console, whose workers hand them to the store.

import { putSlice } from './slice_request.js';

export class ConsoleWay {
  name = 'console';

  constructor(state) {
    this.renew(state);
  }

  // The address of slices ends after some hours; each answer about the upload has a new one.
  renew(state) {
    this.url = state.slice_url;
  }

  put(number, blob, options) {
    return putSlice(this.url + number, blob, options);
  }
}

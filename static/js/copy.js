// Buttons that put a text onto the clipboard. The text is percent-encoded: attributes lose line ends.

import { toast } from './toasts.js';
import { word } from './strings.js';

async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return putTheOldWay(text);
  }
}

// Browsers lend the clipboard to pages over https only; a console in a home network may have none.
function putTheOldWay(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}

async function onClick(event) {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const isDone = await put(decodeURIComponent(button.dataset.copy));
  button.focus();
  if (isDone) toast(word('copied'), 'success');
  else toast(word('not_copied'), 'error');
}

document.addEventListener('click', onClick);

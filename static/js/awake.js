// A phone that falls asleep stops sending: the screen stays on for as long as files leave this page.

let lock = null;
let isWanted = false;

export function stayAwake(isSending) {
  isWanted = isSending;
  if (isSending) take();
  else release();
}

async function take() {
  if (lock || document.hidden || !navigator.wakeLock) return;
  try {
    lock = await navigator.wakeLock.request('screen');
    lock.addEventListener('release', () => {
      lock = null;
    });
    if (!isWanted) release();
  } catch {
    // The battery is low, or the browser does not want to: sending goes on all the same.
  }
}

function release() {
  lock?.release();
  lock = null;
}

// The browser takes it back whenever the page is out of sight.
document.addEventListener('visibilitychange', () => {
  if (isWanted) take();
});

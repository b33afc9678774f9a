'use strict';

// Loaded before the first paint: "auto" follows the system, which the server cannot know.
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const choice = root.dataset.theme;
    const isDark = choice === 'dark' || (choice === 'auto' && system.matches);
    root.setAttribute('data-bs-theme', isDark ? 'dark' : 'light');
  };
  system.addEventListener('change', apply);
  document.addEventListener('theme:changed', apply);
  apply();
})();

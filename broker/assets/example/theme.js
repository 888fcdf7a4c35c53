// Light and dark: the system's choice, until the button says otherwise. The choice is kept for the next visit.

const KEY = 'petasus-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');

export function setUpTheme(button) {
  let chosen = remembered();
  const show = () => {
    const dark = isDark(chosen);
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
    button.querySelector('span').textContent = dark ? 'Light' : 'Dark';
    button.setAttribute('aria-label', dark ? 'Switch to light colours' : 'Switch to dark colours');
  };
  button.addEventListener('click', () => {
    const wanted = isDark(chosen) ? 'light' : 'dark';
    // Back at what the system says: follow the system again.
    chosen = wanted === (systemDark.matches ? 'dark' : 'light') ? null : wanted;
    remember(chosen);
    show();
  });
  systemDark.addEventListener('change', show);
  show();
}

function isDark(chosen) {
  return chosen ? chosen === 'dark' : systemDark.matches;
}

// A browser may forbid storage (private windows): the choice then lasts as long as the page.
function remembered() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'dark' || kept === 'light' ? kept : null;
  } catch {
    return null;
  }
}

function remember(chosen) {
  try {
    if (chosen) localStorage.setItem(KEY, chosen);
    else localStorage.removeItem(KEY);
  } catch {
    // See above.
  }
}

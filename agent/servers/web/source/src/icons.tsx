// Small drawings for buttons; each button has a name of its own, so they are hidden from screen readers.

import type { VNode } from "preact";

const PATHS = {
  send: "M4 12l16-8-5 16-3-7z",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  rotate: "M19 12a7 7 0 1 1-2.5-5.3M17 3v4h-4",
  fit: "M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4",
  map: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 5a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  open: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  quote: "M9 7H5v5h4l-2 5M18 7h-4v5h4l-2 5",
  crop: "M7 3v14h14M3 7h14v14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  gear: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
  list: "M4 6h16M4 12h16M4 18h10",
  edit: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  again: "M5 12a7 7 0 1 0 2.5-5.3M7 3v4h4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  only: "M4 5h16l-6 8v6l-4-2v-4z",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  text: "M5 6h14M5 10h14M5 14h14M5 18h8",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }): VNode {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface ButtonOf {
  icon: keyof typeof PATHS;
  name: string;
  onClick: () => void;
  pressed?: boolean;
  disabled?: boolean;
  keys?: string;
  class?: string;
}

export function IconButton({ icon, name, onClick, pressed, disabled, keys, class: more }: ButtonOf): VNode {
  return (
    <button
      type="button" class={`icon-button ${more ?? ""}`} aria-label={name} title={keys ? `${name} (${keys})` : name}
      aria-pressed={pressed} disabled={disabled} aria-keyshortcuts={keys} onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

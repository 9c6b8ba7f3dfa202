// The keyboard of the data desk: a key presses what carries it in data-key; "?" shows the keys.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const at = document.activeElement;
  const typing = at && (at.tagName === "TEXTAREA" || at.tagName === "SELECT" ||
    (at.tagName === "INPUT" && !["radio", "checkbox", "submit", "button"].includes(at.type)));
  if (event.key === "Escape" && typing) { at.blur(); return; }
  if (typing) return;
  if (event.key === "?") {
    const help = document.getElementById("tombol");
    if (help) { help.open = !help.open; help.querySelector("summary").focus(); event.preventDefault(); }
    return;
  }
  const chosen = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!chosen) return;
  event.preventDefault();
  chosen.focus();
  chosen.click();
  const next = chosen.dataset.then && document.getElementById(chosen.dataset.then);
  if (next) next.focus();
});

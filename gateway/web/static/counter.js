// The counter: what is typed is kept on the server while one types, and held here while the line is down.
"use strict";
const form = document.querySelector("form[data-draft]");
if (form) {
  const said = document.getElementById("draf-kabar");
  const words = (name) => { if (said) said.textContent = said.dataset[name]; };
  let timer = 0, dirty = false, sending = false, wanted = false;
  const keep = async () => {
    dirty = false;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (!answer.ok) throw new Error();
      words("kept");
      return true;
    } catch {
      dirty = true;
      words("lost");
      return false;
    }
  };
  const later = () => { dirty = true; clearTimeout(timer); timer = setTimeout(keep, 800); };
  form.addEventListener("input", later);
  window.addEventListener("online", async () => { if (dirty && await keep() && wanted) form.requestSubmit(); });
  form.addEventListener("submit", async (event) => {
    if (sending) return;
    event.preventDefault();
    clearTimeout(timer);
    if (navigator.onLine) { sending = true; form.submit(); return; }
    wanted = true;
    words("lost");
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
  });
}
const pressed = document.querySelector("[data-print]");
if (pressed) pressed.addEventListener("click", () => window.print());
document.querySelectorAll("[data-copy]").forEach((each) => each.addEventListener("click", () => navigator.clipboard && navigator.clipboard.writeText(each.dataset.copy)));

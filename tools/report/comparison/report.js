"use strict";

const search = document.getElementById("search");
const found = [...document.querySelectorAll("[data-find]")];

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0, layers = 0;
  for (const item of found) {
    const fits = words.every((word) => item.dataset.find.includes(word));
    if (item.matches("a.row")) {
      item.classList.toggle("faded", !fits);
      continue;
    }
    item.hidden = !fits;
    if (item.matches("details")) {
      layers += 1;
      count += fits;
    }
  }
  document.getElementById("count").value = words.length ? `${count} of ${layers} layers match` : "";
}

function reveal() {
  const panel = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!panel || !panel.matches("details.layer")) return;
  if (panel.hidden) {
    search.value = "";
    filter();
  }
  panel.open = true;
  for (const row of document.querySelectorAll("a.row.current")) row.classList.remove("current");
  const row = document.querySelector(`a.row[data-panel="${panel.id}"]`);
  if (row) {
    row.classList.add("current");
    center(row);
  }
  panel.scrollIntoView({ block: "start" });
  panel.querySelector("summary").focus({ preventScroll: true });
}

function center(row) {
  const pane = row.closest(".scroll");
  const [outer, inner] = [pane, row].map((part) => part.getBoundingClientRect());
  const seen = outer.top < innerHeight - 3 * inner.height ? Math.min(outer.bottom, innerHeight) : outer.bottom;
  pane.scrollTop += inner.top - outer.top - (seen - outer.top - inner.height) / 2;
  pane.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
}

function watchOverview(pane) {
  const [scroll, overview] = [pane.querySelector(".scroll"), pane.querySelector(".overview")];
  const { width, height } = overview.viewBox.baseVal;
  const view = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  view.setAttribute("class", "view");
  view.setAttribute("width", width);
  overview.append(view);
  const show = () => {
    view.setAttribute("y", (scroll.scrollTop / scroll.scrollHeight) * height);
    view.setAttribute("height", (scroll.clientHeight / scroll.scrollHeight) * height);
  };
  overview.addEventListener("click", (event) => {
    const box = overview.getBoundingClientRect();
    const part = (event.clientY - box.top) / box.height;
    scroll.scrollTop = part * scroll.scrollHeight - scroll.clientHeight / 2;
  });
  scroll.addEventListener("scroll", show, { passive: true });
  new ResizeObserver(show).observe(scroll);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && search && (typing || search.value)) {
    search.value = "";
    filter();
    search.blur();
  }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.getAttribute("href") === location.hash) reveal();
});
window.addEventListener("hashchange", reveal);

let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].filter((part) => part.matches(".wrong, .facts *"));
  for (const part of opened) part.open = true;
});
window.addEventListener("afterprint", () => {
  for (const part of opened) part.open = false;
});

if (search) {
  search.addEventListener("input", filter);
  search.form.addEventListener("submit", (event) => event.preventDefault());
}
document.querySelectorAll(".pane").forEach(watchOverview);
document.querySelectorAll("a.row.first").forEach(center);
for (const table of document.querySelectorAll(".wide.every")) {
  const row = table.querySelector("tbody tr:not(.same)");
  if (row) table.scrollTop = row.offsetTop - table.clientHeight / 3;
}
reveal();

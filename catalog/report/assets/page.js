"use strict";
// Sorting: a heading is a button; the first press puts the best-looking end of numbers on top, the next turns it round.
(() => {
  const key = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim();
    return cell.dataset.order === undefined ? null : Number(cell.dataset.order);
  };
  const sort = (table, heading) => {
    const column = heading.cellIndex;
    const numeric = heading.classList.contains("number");
    const before = heading.getAttribute("aria-sort");
    const falling = before ? before === "ascending" : numeric;
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row) => ({ row, key: key(row, column, numeric) }));
    const words = new Intl.Collator(undefined, { numeric: true });
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null); // what is not known stands last
      const order = numeric ? a.key - b.key : words.compare(a.key, b.key);
      return falling ? -order : order;
    });
    body.append(...keyed.map((entry) => entry.row));
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable thead button");
    if (button) sort(button.closest("table"), button.closest("th"));
  });
})();

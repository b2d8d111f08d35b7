// Makes the tables that ask for it sortable, and closes the menu of candidates when a reader goes elsewhere.
(function () {
  "use strict";

  function value(row, column) {
    var cell = row.cells[column];
    var written = cell.getAttribute("data-value");
    if (written === null) { written = cell.textContent.trim(); }
    var number = Number(written);
    return written !== "" && !isNaN(number) ? number : written;
  }

  function sort(table, column, button) {
    var body = table.tBodies[0];
    var head = button.closest("th");
    var text = head.classList.contains("text");
    var down = head.hasAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : !text;
    table.querySelectorAll("th[aria-sort]").forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    Array.from(body.rows).map(function (row, place) {
      return { row: row, place: place, value: value(row, column) };
    }).sort(function (one, other) {
      var order = one.value < other.value ? -1 : one.value > other.value ? 1 : 0;
      return (down ? -order : order) || one.place - other.place;
    }).forEach(function (sorted) { body.append(sorted.row); });
  }

  document.querySelectorAll("table[data-sort]").forEach(function (table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
      if (head.hasAttribute("data-unsorted")) { return; }
      var button = document.createElement("button");
      button.type = "button";
      // A link may not stand in a button: the one to the definition stays beside it.
      button.append.apply(button, Array.from(head.childNodes).filter(function (node) {
        return !(node.classList && node.classList.contains("defined"));
      }));
      head.prepend(button);
      button.addEventListener("click", function () { sort(table, column, button); });
    });
  });

  var menu = document.querySelector("details.menu");
  if (menu) {
    document.addEventListener("click", function (event) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    });
  }
  document.documentElement.setAttribute("data-ready", "yes");
})();

// Draws the department map and keeps legend, figures and table to the layer and department that are chosen.
(function () {
  "use strict";

  // plotly.js asks its CDN for a world map even where every base layer is hidden, and draws nothing without an answer.
  window.PlotlyGeoAssets = window.PlotlyGeoAssets || { topojson: {} };
  window.PlotlyGeoAssets.topojson.world_110m = { objects: {} };

  function element(id) { return document.getElementById(id); }

  var page = JSON.parse(element("page").textContent);
  var map = element("map"), layerMenu = element("layer"), departmentMenu = element("department");
  var shapes = page.data[0];
  var narrow = window.matchMedia("(max-width: 46rem)"), dark = window.matchMedia("(prefers-color-scheme: dark)");
  var whole = JSON.parse(JSON.stringify(page.layout.geo));
  var layer = 0, pinned = -1, pointed = -1, enlarged = false;

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  // Plotly reads tags and links in its texts.
  function plain(text) { return text.replace(/&/g, "&amp;").replace(/</g, "&lt;"); }

  function made(tag, text, attributes) {
    var one = document.createElement(tag);
    one.textContent = text;
    Object.keys(attributes || {}).forEach(function (name) { one.setAttribute(name, attributes[name]); });
    return one;
  }

  function showLegend() {
    var one = page.layers[layer];
    element("map-title").textContent = page.groups[one.group] + " – " + one.label;
    element("measured").setAttribute("href", "method.html#" + one.measure);
    element("legend").replaceChildren.apply(element("legend"), one.classes.map(function (kind) {
      var item = made("li", kind[0]), chip = document.createElement("span");
      chip.style.backgroundColor = kind[1];
      chip.classList.toggle("hatched", kind[1] === page.hatched_colour);
      item.prepend(chip);
      return item;
    }));
  }

  function showFigures() {
    var group = page.layers[layer].group, place = pinned >= 0 ? pinned : pointed;
    var shown = place < 0 ? [page.figures[0]] : [page.figures[place + 1], page.figures[0]];
    var labels = [];
    shown.forEach(function (of) {
      of[1][group].forEach(function (row) { if (labels.indexOf(row[0]) < 0) { labels.push(row[0]); } });
    });
    var head = document.createElement("tr");
    head.append(made("th", page.words.measure, { scope: "col", "class": "text" }));
    shown.forEach(function (of) { head.append(made("th", of[0], { scope: "col" })); });
    element("details").tHead.replaceChildren(head);
    element("details").tBodies[0].replaceChildren.apply(element("details").tBodies[0], labels.map(function (label) {
      var row = document.createElement("tr");
      row.append(made("th", label, { scope: "row" }));
      shown.forEach(function (of) {
        var found = of[1][group].filter(function (pair) { return pair[0] === label; })[0];
        row.append(made("td", found ? found[1] : "–"));
      });
      return row;
    }));
  }

  // A reader may have sorted the table before this script ran.
  var rows = Array.from(element("values").tBodies[0].rows).sort(function (one, other) {
    return one.dataset.place - other.dataset.place;
  });

  // What is withheld or not known is no value: it stands last, whichever way the others are sorted.
  document.querySelectorAll("table[data-sort]").forEach(function (table) {
    table.tHead.addEventListener("click", function () {
      var column = Array.from(table.tHead.rows[0].cells).findIndex(function (head) {
        return head.hasAttribute("aria-sort");
      });
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        if (column >= 0 && row.cells[column].dataset.value === "") { table.tBodies[0].append(row); }
      });
    });
  });

  function showValues() {
    var one = page.layers[layer];
    rows.forEach(function (row, number) {
      var cell = row.cells[1], value = one.values[number];
      cell.textContent = one.texts[number];
      cell.setAttribute("data-value", value === null ? "" : value);
    });
    var sorted = element("values").querySelector("th[aria-sort]");
    if (sorted) { sorted.querySelector("button").click(); sorted.querySelector("button").click(); }
  }

  function showPinned() {
    rows.forEach(function (row, number) {
      row.classList.toggle("pinned", number === pinned);
      row.querySelector("button").setAttribute("aria-pressed", String(number === pinned));
    });
    departmentMenu.value = String(pinned);
  }

  // An outline of its own above all shapes: the neighbours' borders would cover half of one that is drawn thicker.
  function outline() {
    var ends = [[], []];
    if (pinned >= 0) {
      var geometry = shapes.geojson.features[pinned].geometry;
      var polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
      [].concat.apply([], polygons).forEach(function (ring) {
        ring.concat([[null, null]]).forEach(function (point) { ends[0].push(point[0]); ends[1].push(point[1]); });
      });
    }
    return ends;
  }

  function forgetHover() { Plotly.Fx.loneUnhover(map.querySelector(".hoverlayer")); }

  function look() {
    return {
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--ink") },
      dragmode: narrow.matches ? false : "pan",
      hoverlabel: { bgcolor: colour("--paper"), bordercolor: colour("--ink"), align: "left",
        font: { color: colour("--ink") } },
    };
  }

  function hatching() {
    var ends = [[], []];
    page.layers[layer].hatched.forEach(function (number) {
      ends.forEach(function (all, side) { all.push.apply(all, page.hatchings[number][side]); });
    });
    return ends;
  }

  // All traces in one change: each draws all shapes anew. Undefined leaves a trace as it is.
  function update() {
    forgetHover();
    var own = Object.assign({ text: [page.layers[layer].texts.map(plain)] }, page.layers[layer].update);
    var ends = hatching(), none = undefined, change = {
      "marker.line.color": [colour("--paper"), none, none, none, none],
      "textfont.color": [none, colour("--ink"), none, none, none],
      "line.color": [none, none, none, colour("--paper"), colour("--ink")],
      lon: [none, none, ends[0], none, none],
      lat: [none, none, ends[1], none, none],
    };
    Object.keys(own).forEach(function (name) {
      change[name] = [Array.isArray(own[name]) ? own[name][0] : own[name], none, none, none, none];
    });
    return Plotly.update(map, change, look(), [0, 1, 2, 3, 4]);
  }

  function pin(number) {
    pinned = number;
    showPinned();
    showFigures();
    var ends = outline();
    return Plotly.restyle(map, { lon: [ends[0]], lat: [ends[1]] }, [3, 4]);
  }

  function chooseLayer() {
    layer = Number(layerMenu.value);
    showLegend();
    showFigures();
    showValues();
    return update();
  }

  // Plotly's own reset moves the centre back and leaves the ranges of the enlarged region.
  function show(region) {
    enlarged = region;
    forgetHover();
    element("zoom").textContent = enlarged ? page.words.whole : page.words.enlarge;
    var view = enlarged ? page.region : whole;
    return Plotly.relayout(map, {
      "geo.center": Object.assign({}, view.center), "geo.projection.scale": 1,
      "geo.lonaxis.range": view.lonaxis.range.slice(), "geo.lataxis.range": view.lataxis.range.slice(),
    });
  }

  function showWhole() { return show(false); }

  rows.forEach(function (row, number) {
    var head = row.cells[0];
    var button = made("button", page.names[number], { type: "button", "class": "place", "aria-pressed": "false" });
    head.replaceChildren(button);
    button.addEventListener("click", function () { pin(pinned === number ? -1 : number); });
  });
  layerMenu.value = "0";
  departmentMenu.value = "-1";
  var dictionary = { "Zoom in": page.words.zoom_in, "Zoom out": page.words.zoom_out,
    "Download plot as a PNG": page.words.image };
  var reset = { name: "whole", title: page.words.reset, icon: Plotly.Icons.home, click: showWhole };
  var language = document.documentElement.lang, locales = {};
  locales[language] = { dictionary: dictionary };
  // Every change draws all shapes anew: the first drawing has the reader's colours already.
  shapes.marker.line.color = page.data[3].line.color = colour("--paper");
  page.data[1].textfont.color = page.data[4].line.color = colour("--ink");
  Plotly.newPlot(map, page.data, Object.assign(page.layout, look()), {
    responsive: true, displaylogo: false, scrollZoom: false, locale: language, locales: locales,
    modeBarButtons: [["zoomInGeo", "zoomOutGeo", reset, "toImage"]],
  }).then(function () {
    map.on("plotly_hover", function (event) {
      pointed = event.points[0].pointNumber;
      if (pinned < 0) { showFigures(); }
    });
    map.on("plotly_unhover", function () {
      pointed = -1;
      if (pinned < 0) { showFigures(); }
    });
    map.on("plotly_click", function (event) {
      var number = event.points[0].pointNumber;
      pin(pinned === number ? -1 : number);
    });
    layerMenu.addEventListener("change", chooseLayer);
    departmentMenu.addEventListener("change", function () { forgetHover(); pin(Number(departmentMenu.value)); });
    narrow.addEventListener("change", update);
    dark.addEventListener("change", update);
    element("zoom").hidden = !page.region;
    element("zoom").addEventListener("click", function () { show(!enlarged); });
    // A double click on the map is Plotly's reset, too.
    map.on("plotly_doubleclick", showWhole);
    document.body.dataset.ready = "yes";
  });
})();

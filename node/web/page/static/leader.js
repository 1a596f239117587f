// The leader's page: draws the table of days as a chart, in the colours of the page.
(function () {
  "use strict";
  var table = document.getElementById("trend");
  var place = document.getElementById("trend-chart");

  // A choice that is made by pointing is shown at once. By keyboard each value on the way is a change; there the button shows it.
  document.querySelectorAll(".leader-choice select").forEach(function (select) {
    var pointed = false;
    select.addEventListener("pointerdown", function () { pointed = true; });
    select.addEventListener("keydown", function () { pointed = false; });
    select.addEventListener("change", function () { if (pointed) select.form.submit(); });
  });
  if (!table || !place || !window.echarts) return;

  function texts(selector) {
    return Array.prototype.map.call(table.querySelectorAll(selector), function (cell) { return cell.textContent.trim(); });
  }
  function numbers(column) { return texts("tbody tr > :nth-child(" + column + ")").map(Number); }

  place.hidden = false;
  document.getElementById("trend-numbers").open = false;
  var chart = window.echarts.init(place, null, { renderer: "canvas" });
  var calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function draw() {
    var style = getComputedStyle(document.body);
    function colour(name) { return style.getPropertyValue(name).trim(); }
    var heads = texts("thead th");
    var days = texts("tbody th").length;
    var opened = numbers(2), solved = numbers(3), late = numbers(4), last = days - 1;
    var soft = { color: colour("--ink-soft"), fontFamily: style.fontFamily };
    // Each series says what it is where it ends; two that end together make room for each other.
    var top = Math.max.apply(null, opened.concat(solved, late, 1));
    var apart = Math.abs(solved[last] - late[last]) < top / 10 ? 9 : 0;
    function named(name, down) {
      return { show: true, formatter: "{a} {c}", offset: [10, down], color: colour(name), fontFamily: style.fontFamily };
    }
    var under = solved[last] > opened[last] - top / 12 && solved[last] < opened[last] + top / 5 ? 14 : 0;
    var bars = opened.map(function (number, day) {
      if (day < last) return number;
      return { value: number, label: { show: true, align: "left", formatter: heads[1] + " " + number } };
    });
    chart.setOption({
      animation: !calm,
      color: ["#8fb4e8", colour("--good"), colour("--bad")],
      textStyle: { fontFamily: style.fontFamily },
      grid: { left: 40, right: 88, top: 40, bottom: 28 },
      xAxis: { type: "category", data: texts("tbody th"), axisLabel: soft, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line") } } },
      yAxis: { type: "value", minInterval: 1, axisLabel: soft, splitLine: { lineStyle: { color: colour("--line") } } },
      series: [
        { name: heads[1], type: "bar", data: bars, barMaxWidth: 28, itemStyle: { borderRadius: [3, 3, 0, 0] },
          label: { show: days <= 14, position: "top", formatter: function (bar) { return bar.value || ""; },
            color: colour("--ink-soft"), fontFamily: style.fontFamily } },
        { name: heads[2], type: "line", data: solved, symbol: "circle", symbolSize: 7, lineStyle: { width: 2.5 }, endLabel: named("--good", under - apart) },
        { name: heads[3], type: "line", data: late, symbol: "triangle", symbolSize: 8, lineStyle: { width: 2, type: "dashed" },
          endLabel: named("--bad", apart) }
      ]
    });
  }
  draw();
  window.addEventListener("resize", function () { chart.resize(); });
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();

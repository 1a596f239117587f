package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestTheWallAfterASleep has the machine behind the wall sleep for two hours, with the one clock of a browser that stands still meanwhile,
// and wake before its network does: the wall says at once that it is old, its clock is right, it lights up nothing of what the stream had
// kept, and it shows the present as soon as it can be had.
func TestTheWallAfterASleep(t *testing.T) {
	t.Parallel()
	p := at(t, province, 0, wallScreen).signIn("zhaoheng")
	p.run("let things move", emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "no-preference"},
	}))
	p.open("/wall")
	const tell = `document.body.dispatchEvent(new CustomEvent("live:moves", {detail: [{kind: "OPENED", from: "330106", to: "330106"}]})),
		document.querySelectorAll("#wall-lights .light-ring").length`
	var lit, litLater int
	p.value(tell, &lit)
	p.value(`(() => {
		const now = Date.now.bind(Date), fetch = window.fetch.bind(window);
		window.present = now;
		window.cut = true;
		window.looks = 0;
		window.fetch = (...asked) => { window.looks++; return window.cut ? Promise.reject(new TypeError("no network yet")) : fetch(...asked); };
		Date.now = () => now() + 2 * 3600 * 1000;
		window.shows = time => { const d = new Date(time), two = n => ("0" + n).slice(-2);
			return document.getElementById("wall-time").textContent === two(d.getHours()) + ":" + two(d.getMinutes()); };
		document.getElementById("wall-lights").replaceChildren();
		return `+tell+`; })()`, &litLater)
	if lit != 1 || litLater != 0 {
		t.Errorf("a ticket lights up %d stations before the sleep and %d after it, want 1 and 0", lit, litLater)
	}
	p.until("the wall says that it is old, and looks", `document.body.classList.contains("stale") && window.looks > 0`)
	p.until("its clock went on", `window.shows(Date.now())`)
	p.value(`window.cut = false; window.dispatchEvent(new Event("online"))`, nil)
	p.until("the wall is up to date", `!document.body.classList.contains("stale") && window.shows(window.present())`)
}

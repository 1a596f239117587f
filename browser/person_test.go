package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds every wait for something to appear, on a machine that has much else to do; nothing waits that long unless it failed.
const patience = 2 * time.Minute

//go:embed testdata/axe.js
var axe string

// screen is what somebody looks at.
type screen struct {
	name          string
	width, height int64
	phone, dark   bool
}

var (
	desktop      = screen{name: "desktop", width: 1440, height: 900}
	phone        = screen{name: "phone", width: 360, height: 740, phone: true}
	phoneDark    = screen{name: "phone-dark", width: 360, height: 740, phone: true, dark: true}
	wallScreen   = screen{name: "wall", width: 1920, height: 1080, dark: true}
	pictureFrame = screen{name: "picture", width: 1280, height: 800}
)

// person is somebody with a browser of their own.
type person struct {
	t    *testing.T
	name string // who is signed in; empty for nobody
	base string // the address of the node
	ctx  context.Context

	secret string // by which a visitor follows a problem; empty before one was reported

	mu    sync.Mutex // guards the rest
	wrong []string   // what the browser complained about
	bytes int64      // what was loaded since the last page was opened
	calm  bool       // a failed load is expected now
	short []string   // what the site could not answer for the moment
}

// at opens a browser that shares nothing with any other at a node of an office. The test fails when the browser complains about anything while it is open.
func at(t *testing.T, office string, node int, s screen) *person {
	t.Helper()
	p := &person{t: t, base: offices(t).Pages(office)[node], ctx: window(t)}
	chromedp.ListenTarget(p.ctx, p.hear)
	p.run("open a browser", network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetLocaleOverride().WithLocale("zh-CN"),
		emulation.SetTimezoneOverride("Asia/Shanghai"),
		emulation.SetFocusEmulationEnabled(true), // each of them is the one that is looked at
		network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": "zh-CN"}))
	p.use(s)
	t.Cleanup(func() {
		for _, complaint := range p.complaints() {
			t.Errorf("the browser of %s complains: %s", p.who(), complaint)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.short) > 0 {
			t.Logf("the site was short of time for %s: %s", p.who(), strings.Join(p.short, "\n"))
		}
	})
	return p
}

// use has the person look at another screen. Nothing moves on it, and the page that is there follows.
func (p *person) use(s screen) {
	p.t.Helper()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	p.run("use a "+s.name, emulation.SetDeviceMetricsOverride(s.width, s.height, 1, s.phone), emulation.SetTouchEmulationEnabled(s.phone),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}))
	p.until("the page has the colours of the "+s.name, `(theme => theme === undefined || theme === "`+scheme+`")(document.documentElement.dataset.bsTheme)`)
}

func (p *person) who() string {
	if p.name == "" {
		return "a visitor"
	}
	return p.name
}

// hear collects what a browser tells its developer tools.
func (p *person) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			for _, argument := range e.Args {
				p.complain(fmt.Sprintf("console %s: %s %s", e.Type, argument.Value, argument.Description))
			}
		}
	case *runtime.EventExceptionThrown:
		p.complain("exception: " + e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		refused := e.Entry.Source == log.SourceNetwork && p.calm
		if e.Entry.Level == log.LevelError && !refused {
			p.complain("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventLoadingFinished:
		p.bytes += int64(e.EncodedDataLength)
	}
}

// unable is how a browser says that the site could not answer for the moment: nodes that are kept from the processor elect a leader anew.
// It says nothing of a page; whatever it asked for must come all the same.
var unable = regexp.MustCompile(`(status of|Status Error Code) 50[34]\b`)

// complain keeps what the browser complained about, unless that is htmx about a request that the way to the next page has broken off, or
// only the machine being busy. Whoever calls it holds mu.
func (p *person) complain(about string) {
	switch {
	case strings.Contains(about, "htmx:sendAbort") || strings.Contains(about, "htmx:afterRequest"):
	case unable.MatchString(about):
		p.short = append(p.short, about)
	default:
		p.wrong = append(p.wrong, about)
	}
}

// complaints returns what the browser complained about and forgets it.
func (p *person) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	wrong := p.wrong
	p.wrong = nil
	return wrong
}

// expectRefusals says whether answers with an error status are expected from now on.
func (p *person) expectRefusals(expected bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = expected
}

// run does things in the browser in time.
func (p *person) run(doing string, actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %s: %v%s", p.who(), doing, err, p.evidence())
	}
}

// evidence takes a picture of what is seen when something went wrong.
func (p *person) evidence() string {
	var picture []byte
	var at, words string
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if chromedp.Run(ctx, chromedp.CaptureScreenshot(&picture), chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText.slice(0, 1500)`, &words)) != nil {
		return ""
	}
	path := filepath.Join(os.TempDir(), "tierdesk-browser-"+strings.ReplaceAll(p.t.Name(), "/", "-")+".png")
	if os.WriteFile(path, picture, 0o600) != nil {
		path = "nowhere"
	}
	return fmt.Sprintf("\nat %s, pictured in %s, which says:\n%s", at, path, words)
}

// open goes to a page.
func (p *person) open(path string) {
	p.t.Helper()
	p.mu.Lock()
	p.bytes = 0
	p.mu.Unlock()
	p.run("open "+path, chromedp.Navigate(p.base+path))
	p.answered()
}

// answered asks once more while the site cannot answer for the moment, as the page says that one may. A form that was sent goes again too:
// the site takes it once.
func (p *person) answered() {
	p.t.Helper()
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(time.Second) {
		var wait bool
		if p.value(`[503, 504].includes(performance.getEntriesByType("navigation")[0]?.responseStatus)`, &wait); !wait {
			return
		}
		p.run("ask once more", chromedp.Reload())
	}
	p.t.Fatalf("%s: the site does not come to answer%s", p.who(), p.evidence())
}

// signIn signs somebody of the sample people in.
func (p *person) signIn(name string) *person {
	p.t.Helper()
	p.open("/sign-in")
	p.leaves(func() {
		p.run("sign in as "+name, chromedp.SendKeys("#user", name), chromedp.SendKeys("#password", offices(p.t).Password()+kb.Enter))
	})
	p.name = name
	p.until("signed in", `!!document.body.dataset.user && location.pathname !== "/sign-in"`)
	return p
}

// until waits for an expression of JavaScript to be true, also while one page gives way to the next.
func (p *person) until(what, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	careful := "(() => { try { return !!(" + expression + "); } catch (e) { return false; } })()"
	for {
		var so bool
		err := chromedp.Run(ctx, chromedp.Evaluate(careful, &so))
		if err == nil && so {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s: wait until %s: %v%s", p.who(), what, err, p.evidence())
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// sees waits until words can be read on the page.
func (p *person) sees(words string) {
	p.t.Helper()
	p.until("“"+words+"” is seen", "document.body.innerText.includes("+quoted(words)+")")
}

// seesIn waits until words can be read within an element.
func (p *person) seesIn(selector, words string) {
	p.t.Helper()
	p.until("“"+words+"” is seen in "+selector,
		"[...document.querySelectorAll("+quoted(selector)+")].some(e => e.innerText.includes("+quoted(words)+"))")
}

// seesNot fails when words can be read on the page.
func (p *person) seesNot(words string) {
	p.t.Helper()
	var found bool
	p.run("read the page", chromedp.Evaluate("document.body.innerText.includes("+quoted(words)+")", &found))
	if found {
		p.t.Fatalf("%s sees “%s”%s", p.who(), words, p.evidence())
	}
}

// click clicks the first visible element, also while a part of the page that came anew takes its place, or moves it from under the pointer.
func (p *person) click(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		p.value(`void (window.isMissed = false, addEventListener("click", e => { window.isMissed = !e.target.closest(`+quoted(selector)+`); }, {capture: true, once: true}))`, nil)
		err := chromedp.Run(ctx, chromedp.ScrollIntoView(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
		if err == nil {
			if missed := false; chromedp.Run(ctx, chromedp.Evaluate(`window.isMissed === true`, &missed)) != nil || !missed {
				return // an error says that the page is left
			}
			continue
		}
		if ctx.Err() != nil || !replaced(err) {
			p.t.Fatalf("%s: click %s: %v%s", p.who(), selector, err, p.evidence())
		}
	}
}

// replaced tells whether the browser complains that an element is not on the page any more.
func replaced(err error) bool {
	var told *cdproto.Error
	return errors.As(err, &told) && (strings.Contains(told.Message, "node with given id") || strings.Contains(told.Message, "Node is detached"))
}

// write types text into a field after what is there.
func (p *person) write(selector, text string) {
	p.t.Helper()
	p.run("write into "+selector, chromedp.SendKeys(selector, text, chromedp.ByQuery, chromedp.NodeVisible))
}

// leaves does what leads to another page, and waits until that one is there with its scripts. A live update may show what was done before
// the answer is there; what is done to the page in between is lost with it.
func (p *person) leaves(doing func()) {
	p.t.Helper()
	p.value("window.isLeft = true", nil)
	doing()
	p.until("the next page is there", `!window.isLeft && document.readyState === "complete"`)
	p.answered()
}

// sends clicks what sends a form, and waits for the answer.
func (p *person) sends(selector string) {
	p.t.Helper()
	p.leaves(func() { p.click(selector) })
}

// choose takes an option of a select element.
func (p *person) choose(selector, value string) {
	p.t.Helper()
	p.until("there is "+value+" to choose in "+selector, `(() => { const e = document.querySelector(`+quoted(selector)+`); e.value = `+quoted(value)+
		`; if (e.value !== `+quoted(value)+`) return false; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`)
}

// press presses a key wherever the focus is.
func (p *person) press(keys string) {
	p.t.Helper()
	p.run("press keys", chromedp.KeyEvent(keys))
}

// value evaluates an expression of JavaScript.
func (p *person) value(expression string, into any) {
	p.t.Helper()
	p.run("evaluate "+expression, chromedp.Evaluate(expression, into, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
}

// path is the path of the page, without its query.
func (p *person) path() (path string) {
	p.t.Helper()
	p.value("location.pathname", &path)
	return path
}

// fits fails when the page is wider than the window, and stays so: what a script draws follows the window a moment later.
func (p *person) fits() {
	p.t.Helper()
	var wide string
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(30 * time.Millisecond) {
		p.value(`(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w + 1) return "";
			return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join("\n") || "something"; })()`, &wide)
		if wide == "" {
			return
		}
	}
	p.t.Errorf("%s is wider than the screen:\n%s%s", p.path(), wide, p.evidence())
}

// violation is a rule of accessibility that a page breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []string
}

// accessible fails when the page breaks a serious rule of accessibility.
func (p *person) accessible() {
	p.t.Helper()
	var loaded bool
	if p.value("!!window.axe", &loaded); !loaded {
		p.run("load axe", chromedp.Evaluate(axe+"\n;0", nil))
	}
	var report string
	p.value(`axe.run({resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))}))))`, &report)
	var found []violation
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		p.t.Fatalf("read what axe says: %v", err)
	}
	for _, v := range found {
		p.t.Errorf("%s is hard to use, %s %s: %s\n%s", p.path(), v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n"))
	}
}

// picture takes a picture for the documentation, when that is asked for.
func (p *person) picture(name string) {
	p.t.Helper()
	if *pictures == "" {
		return
	}
	var picture []byte
	p.run("take a picture", chromedp.CaptureScreenshot(&picture))
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func quoted(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(encoded)
}

// weigh opens a page with an empty cache and returns how many bytes came over the line until it was there.
func (p *person) weigh(path string) int64 {
	p.t.Helper()
	p.run("leave the page, and what it still loads", chromedp.Navigate("about:blank"))
	p.run("empty the cache", network.ClearBrowserCache())
	p.open(path)
	p.until("all is loaded", `document.readyState === "complete"`)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

package browser

import (
	"slices"
	"strings"
	"testing"
)

// inARow is how many pages one browser is taken to. Fewer leave less to wait for at the end, when the last one goes on alone; each has
// somebody sign in.
const inARow = 16

// look has everybody of the list look at their pages in browsers of their own, at the first node of their office.
func look(t *testing.T, do func(p *person, page looked)) {
	t.Helper()
	type who struct{ office, user string }
	var everybody []who
	pages := map[who][]looked{}
	for _, page := range everyPage() {
		by := who{page.office, page.user}
		if pages[by] == nil {
			everybody = append(everybody, by)
		}
		pages[by] = append(pages[by], page)
	}
	for _, by := range everybody {
		for some := range slices.Chunk(pages[by], inARow) {
			t.Run(strings.TrimSpace(by.office+" "+by.user), func(t *testing.T) {
				t.Parallel()
				p := at(t, by.office, 0, desktop)
				if by.user != "" {
					p.signIn(by.user)
				}
				for _, page := range some {
					p.expectRefusals(page.refused)
					do(p, page)
					p.settle(page)
				}
			})
		}
	}
}

// settle tells what the browser complained about while it was at a page, in good time before the next.
func (p *person) settle(page looked) {
	p.t.Helper()
	p.until("all is loaded", `document.readyState === "complete"`)
	for _, complaint := range p.complaints() {
		p.t.Errorf("at %s the browser of %s complains: %s", page.path, p.who(), complaint)
	}
}

// firstLoad is the most that a first page may weigh as it comes over the line, in bytes.
const firstLoad = 400 << 10

// TestEveryPage looks at every page with an empty cache, on a desk and on a telephone, by day and by night, in Chinese and in English: it
// comes light, the browser complains about nothing, nothing is wider than the screen or hard to use for people who see or move
// differently, and all of it is in the language of the page.
func TestEveryPage(t *testing.T) {
	known := learnTongues(t)
	look(t, func(p *person, page looked) {
		path := p.find(page)
		p.use(desktop)
		if weight := p.weigh(inLanguage(path, "zh")); weight > firstLoad || weight < 1<<10 {
			p.t.Errorf("the first load of %s is %d bytes, want at most %d", page.path, weight, firstLoad)
		}
		p.fits()
		p.accessible()
		p.speaks(page, "zh-CN", known)
		p.use(phoneDark)
		p.fits()
		p.accessible()
		p.open(inLanguage(path, "en"))
		p.speaks(page, "en", known)
	})
}

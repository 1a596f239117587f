package page

import (
	"html/template"
	"testing"
)

func TestWhatPeopleTypeIsNoMarkup(t *testing.T) {
	for _, c := range []struct {
		name string
		got  template.HTML
		want template.HTML
	}{
		{"a mark", Mark{Word: `<b>"新"</b>`, Shape: "○", Tone: `c"`}.HTML(),
			`<span class="mark c&#34;"><span class="shape" aria-hidden="true">○</span>&lt;b&gt;&#34;新&#34;&lt;/b&gt;</span>`},
		{"no moment", Moment{}.HTML(), ""},
		{"a moment", Moment{Ago: "<1 分钟", Clock: "09:30", Exact: `"x"`, ISO: "2026-11-22T09:30:00+08:00"}.HTML(),
			`<time datetime="2026-11-22T09:30:00+08:00" title="&#34;x&#34;" data-ago>&lt;1 分钟</time>`},
		{"a moment by the clock", Moment{Ago: "5 分钟前", Clock: "09:30", Exact: "x", ISO: "y"}.ClockHTML(), `<time datetime="y" title="x">09:30</time>`},
		{"no deadline", Deadline{}.HTML(), ""},
		{"a deadline", Deadline{Text: "还剩 5 分钟", Exact: "x", ISO: "y"}.HTML(), `<time class="deadline" datetime="y" title="x" data-until>还剩 5 分钟</time>`},
		{"a deadline that is past", Deadline{Text: `>"`, Late: true, Exact: "x", ISO: "y"}.HTML(),
			`<time class="deadline late" datetime="y" title="x" data-until>&gt;&#34;</time>`},
	} {
		if c.got != c.want {
			t.Errorf("%s is shown as\n%s\nwant\n%s", c.name, c.got, c.want)
		}
	}
}

package console

import (
	"html/template"
	"testing"

	"github.com/tierdesk/tierdesk/node/web/page"
)

func TestARowShowsWhatPeopleTypedAsText(t *testing.T) {
	shown := row{
		Number: `n"1`, Pick: `n"1 e`, PickWord: `选择 <i>`, Chosen: true, Urgency: "late",
		Cells: []cell{
			{Name: "title", Label: "标题", Text: `<script>"`, Number: `n"1`, Lead: page.Mark{Word: "重大", Shape: "◆", Tone: "bad"}},
			{Name: "who", Label: `处理<人>`, Text: "李工", Soft: `a"b`, Marks: []page.Mark{{Word: "重点", Shape: "★", Tone: "wait"}}},
			{Name: "empty", Label: "空"},
		},
	}
	cells := template.HTML(`<td class="c-title" data-label="标题" title="&lt;script&gt;&#34;"><span class="mark bad"><span class="shape" aria-hidden="true">◆</span>重大</span> ` +
		`<a class="open" id="open-n&#34;1" href="/t/n%221">&lt;script&gt;&#34;</a></td>` +
		`<td class="c-who" data-label="处理&lt;人&gt;" title="李工 a&#34;b"><span>李工</span> <small class="soft">a&#34;b</small> <span class="mark wait"><span class="shape" aria-hidden="true">★</span>重点</span></td>` +
		`<td class="c-empty" data-label="空"></td>`)
	if got := shown.Markup(); got != cells {
		t.Errorf("the cells are\n%s\nwant\n%s", got, cells)
	}
	line := `<tr id="row-n&#34;1" class="late"><td class="pick"><input class="form-check-input" type="checkbox" form="bulk" name="pick" value="n&#34;1 e"` +
		` id="pick-n&#34;1" checked aria-label="选择 &lt;i&gt;"></td>` + cells + `</tr>`
	if got := shown.Line(); got != line {
		t.Errorf("the row is\n%s\nwant\n%s", got, line)
	}
	if got, want := (row{Number: "1"}).Line(), template.HTML(`<tr id="row-1"><td class="pick"></td></tr>`); got != want {
		t.Errorf("a row that nobody can choose is %s, want %s", got, want)
	}
}

func TestPeopleToChooseFromAreShownAsText(t *testing.T) {
	shown := options{Word: `网络"组`, Choices: []option{{Value: `a|b"`, Word: "<李工>", Chosen: true}, {Value: "c", Word: "王芳"}}}
	want := template.HTML(`<optgroup label="网络&#34;组"><option value="a|b&#34;" selected>&lt;李工&gt;</option><option value="c">王芳</option></optgroup>`)
	if got := shown.Markup(); got != want {
		t.Errorf("the people are\n%s\nwant\n%s", got, want)
	}
}

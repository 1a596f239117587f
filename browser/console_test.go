package browser

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
)

// TestACallByKeyboardAlone opens a call without a mouse: one key from the list, the telephone number, the requester who is found by it,
// what it is about, and Enter. On the ticket a key shows the keys, another one opens a form, and Escape closes either.
func TestACallByKeyboardAlone(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("zhangmin")
	p.open("/desk")
	p.until("the keys work", `document.readyState === "complete"`)
	begun := time.Now()
	p.leaves(func() { p.press("c") })
	p.until("the page for a call is there", `location.pathname === "/desk/new" && document.activeElement && document.activeElement.name === "requester.phone"`)
	p.press("0571-85000012")
	p.until("the requester is found", `document.querySelector("#new-people [role=option]")`)
	p.picture("call")
	p.press(kb.Enter)
	p.until("the requester is filled in", `document.querySelector('[name="requester.name"]').value === "刘洋"`)
	focus := func(name string) {
		t.Helper()
		for range 30 {
			var at string
			if p.value(`document.activeElement ? document.activeElement.name || "" : ""`, &at); at == name {
				return
			}
			p.press(kb.Tab)
		}
		t.Fatalf("Tab never comes to the field %s", name)
	}
	focus("application")
	p.press("国库集中支付系统")
	focus("title")
	p.press("支付令打不开")
	p.leaves(func() { p.press(kb.Enter) })
	number := p.onTicket()
	t.Logf("ticket %s opened in %s", number, time.Since(begun).Round(time.Millisecond))
	p.seesIn("#t-head", "支付令打不开")
	p.seesIn("#t-side", "刘洋")
	p.press("?")
	p.seesIn(".overlay", "快捷键")
	p.press(kb.Escape)
	p.until("the keys are put away", `!document.querySelector(".overlay")`)
	p.press("e")
	p.until("the form of an escalation takes what is typed", `document.activeElement && document.activeElement.matches("#panel [name=reason]")`)
	p.press(kb.Escape)
	p.until("Escape closes the form", `!document.querySelector("#panel form")`)
}

// TestWhoIsQuickerThanTheServer goes on by Enter before the requester is found, and writes while an answer of another kind comes: the
// requester is offered where one is by then, and what is written goes on where it was, on the page that comes.
func TestWhoIsQuickerThanTheServer(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("zhangmin")
	p.open("/desk/new")
	p.until("the first field takes what is typed", `document.activeElement && document.activeElement.name === "requester.phone"`)
	p.press("0571-85000012" + kb.Enter)
	p.until("the requester is found", `document.activeElement.name === "requester.name" && document.querySelector(".combo:focus-within [role=option]")`)
	p.press(kb.Enter)
	p.until("the requester is filled in", `document.querySelector('[name="requester.name"]').value === "刘洋"`)
	p.write(`#call [name="title"]`, "手快")
	p.sends(`#call button[value="ticket"]`)
	p.onTicket()

	p.write("#say", "正在核对c")
	p.does("start", nil)
	p.until("the words are there, and more can follow", `document.activeElement.id === "say" && document.activeElement.value === "正在核对c"`)
	p.press("c")
	p.until("the next key is written too", `document.querySelector("#say").value === "正在核对cc"`)
}

// TestTheListKeepsOnesPlace chooses tickets in a list that is made again meanwhile, and comes back to the row that was opened from it, by
// way of the next ticket of the list.
func TestTheListKeepsOnesPlace(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("zhangmin")
	p.open("/desk?queue=all")
	p.until("the keys work", `document.readyState === "complete"`)
	p.press("j")
	p.press("x")
	p.press("j")
	p.press("j")
	p.value(`void (window.name = document.activeElement.id)`, nil)
	p.value(`void document.body.addEventListener("htmx:afterSwap", e => {
		if (e.target.id === "desk-list") Promise.resolve().then(() => window.kept = new FormData(document.getElementById("bulk")).getAll("pick").length)
	})`, nil)
	p.value(`void document.body.dispatchEvent(new CustomEvent("live:queues"))`, nil)
	p.until("the list is made again, and what was chosen is chosen at once", `window.kept === 1`)
	p.until("the focus stays on its row", `window.name && document.activeElement.id === window.name`)
	const there = `document.readyState === "complete" && document.querySelector("[data-trail]")?.hidden === false`
	p.press("o")
	p.until("the ticket is there", there+` && location.pathname.startsWith("/t/")`)
	p.press("j")
	p.until("the next ticket of the list is there", there+` && !location.pathname.endsWith(window.name.replace("open-", ""))`)
	p.press("k")
	p.until("the ticket is there again", there+` && location.pathname.endsWith(window.name.replace("open-", ""))`)
	p.press("u")
	p.until("the list is there, at its row", `location.pathname === "/desk" && document.activeElement.id === window.name`)
}

// TestAConflictLosesNothing has two people change one ticket: the second is shown what the first changed, and what was typed stays.
func TestAConflictLosesNothing(t *testing.T) {
	t.Parallel()
	one := at(t, county, 0, desktop).signIn("zhangmin")
	two := at(t, county, 2, desktop).signIn("chenjie")
	number := one.opens(call{"0571-85000021", "罗兰", "区文化和旅游局（预算单位）", "预算一体化系统", "附件上传失败", "提示大小超限。"})
	two.open("/t/" + number)
	two.begins("hold")
	two.until("the form is there", `document.querySelector("#panel [name=comment]")`)
	two.write("#panel [name=comment]", "等单位补充附件，写了很久的说明")
	one.does("start", nil)
	one.seesIn("#t-head", "处理中")
	one.seesIn("#presence", "陈")
	one.accessible()
	two.value(`(() => { const s = document.querySelector("#panel [name=reason]"); if (s.tagName === "SELECT") s.value = [...s.options].map(o => o.value).filter(Boolean)[0]; })()`, nil)
	two.expectRefusals(true)
	two.sends("#panel .t-panel-foot button")
	two.until("the difference is shown", `document.querySelector(".t-conflict")`)
	two.picture("conflict")
	var kept string
	two.value(`document.querySelector("#panel [name=comment]").value`, &kept)
	if kept != "等单位补充附件，写了很久的说明" {
		t.Errorf("after the conflict the form says %q", kept)
	}
	two.expectRefusals(false)
	two.sends("#panel .t-panel-foot button")
	two.seesIn("#t-head .t-marks", "挂起")
}

// TestWithoutAScript opens a call, escalates it and leaves a note on it in a browser that runs no script.
func TestWithoutAScript(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("chenjie")
	p.run("switch scripts off", emulation.SetScriptExecutionDisabled(true))
	p.open("/desk/new")
	p.write(`#call [name="requester.phone"]`, "0571-85000020")
	p.write(`#call [name="requester.name"]`, "高远")
	p.write(`#call [name="title"]`, "没有脚本也能登记")
	p.sends(`#call button[value="ticket"]`)
	number := p.onTicket()
	p.open("/t/" + number + "/escalate")
	p.write("[name=reason]", "需要市级二线")
	p.sends(".t-panel-foot button")
	p.until("the ticket's page is there again", `location.pathname === "/t/`+number+`"`)
	p.seesIn("#t-journey", "杭州市")
	p.open("/t/" + number)
	p.write("#say", "没有脚本也能备注")
	p.sends("button.send-reply, button.send-note")
	p.seesIn("#t-journal", "没有脚本也能备注")
}

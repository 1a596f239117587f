package browser

import (
	"strings"
	"testing"
)

// TestARequesterOnATelephone reports a problem without an account on a telephone, follows it, is answered, and confirms and rates the
// solution; days later the number and the telephone number open it again.
func TestARequesterOnATelephone(t *testing.T) {
	t.Parallel()
	guest := at(t, county, 1, phone)
	agent := at(t, county, 0, desktop).signIn("zhangmin")

	guest.open("/help")
	guest.picture("help-phone")
	guest.open("/help/new")
	guest.write("#title", "报销单提交后一直转圈")
	guest.write("#description", "换了两台电脑都一样。")
	guest.write("#name", "周敏")
	guest.write("#phone", "0571-85009999")
	guest.sends(".help-send button")
	guest.until("it was taken", `document.querySelector(".help-sent .id")`)
	var number string
	guest.value(`document.querySelector(".help-sent .id").innerText`, &number)
	number = strings.TrimSpace(number)
	guest.fits()

	agent.open("/t/" + number)
	agent.seesIn("#t-side", "周敏")
	agent.does("start", nil)
	agent.write("#say", "请清除浏览器缓存后再试。")
	agent.sends("button.send-reply")
	agent.seesIn("#t-journal", "清除浏览器缓存")
	agent.click("label[for=as-note]")
	agent.write("#say", "内部备注：疑似前置机会话超限")
	agent.sends("button.send-note")
	agent.seesIn("#t-journal", "前置机会话超限")

	guest.open("/help/find")
	guest.write("[name=number]", number)
	guest.write("[name=phone]", "0571-85009999")
	guest.sends("main form button.btn-primary")
	guest.sees("请清除浏览器缓存后再试。")
	guest.seesNot("前置机会话超限")
	guest.picture("progress-phone")

	agent.does("resolve", map[string]string{"resolution.text": "清除缓存后恢复正常。"})
	agent.seesIn("#t-head", "已解决")
	guest.open(guest.path())
	guest.sends("#act-confirm")
	guest.until("it is closed", `document.querySelector("#star-5")`)
	guest.seesNot("前置机会话超限")
	guest.sends("#star-5")
	agent.seesIn("#t-head", "已办结")
	agent.seesIn("#t-side", "非常满意")

	stranger := at(t, county, 1, phone)
	stranger.expectRefusals(true)
	stranger.open("/help/find")
	stranger.write("[name=number]", number)
	stranger.write("[name=phone]", "0571-85009998")
	stranger.sends("main form button.btn-primary")
	stranger.until("it is refused", `document.querySelector('[role="alert"]')`)
}

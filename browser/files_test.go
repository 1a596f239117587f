package browser

import "testing"

// chooseFile puts a small file into the form's list, as choosing it from the disk does.
func (p *person) chooseFile(form, name string) {
	p.t.Helper()
	p.value(`(() => { const input = document.querySelector(`+quoted(form+" .files-input")+`), brought = new DataTransfer();
		brought.items.add(new File(["支付失败 10:42"], `+quoted(name)+`, {type: "text/plain"}));
		input.files = brought.files; input.dispatchEvent(new Event("change", {bubbles: true})); })()`, nil)
	p.seesIn(form+" .files-list", name)
}

// TestFilesOutliveARefusal has a reply and a call refused that files go with: they need not be chosen again, and arrive in the end.
func TestFilesOutliveARefusal(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("zhangmin")
	number := p.opens(call{"0571-85000022", "苏晴", "区教育局（预算单位）", "预算一体化系统", "附件重传", "先说明，再补日志。"})
	p.open("/t/" + number)
	p.write("#say", "   ")
	p.chooseFile("#composer", "支付日志.txt")
	p.expectRefusals(true)
	p.sends("#composer .send-reply")
	p.seesIn("#composer", "请填写此项")
	p.seesIn("#composer .files-list", "支付日志.txt")
	p.until("nothing asks for the files again", `!document.querySelector(".files-again")`)
	p.expectRefusals(false)
	p.write("#say", "日志见附件")
	p.sends("#composer .send-reply")
	p.seesIn("#t-journal .t-files", "支付日志.txt")
	p.untilNoFileIsKept()

	p.open("/desk/new")
	p.write(`#call [name="requester.phone"]`, "0571-85000023")
	p.chooseFile("#call", "报错截图.txt")
	p.expectRefusals(true)
	p.value(`document.querySelectorAll("#call [required]").forEach(e => e.required = false)`, nil)
	p.sends(`#call button[value="ticket"]`)
	p.until("the call is refused", `document.querySelector("#call [aria-invalid=true]")`)
	p.seesIn("#call .files-list", "报错截图.txt")
	p.expectRefusals(false)
	p.write(`#call [name="requester.name"]`, "苏晴")
	p.write(`#call [name="title"]`, "报错截图见附件")
	p.sends(`#call button[value="ticket"]`)
	p.onTicket()
	p.seesIn("#t-journal .t-files", "报错截图.txt")
}

// untilNoFileIsKept waits until the browser has let go of the files of forms that were sent. The page that looks may give way to the next one.
func (p *person) untilNoFileIsKept() {
	p.t.Helper()
	p.until("the browser keeps no file that was sent", `(() => {
		if (!window.looksForFiles) {
			window.looksForFiles = true;
			const asked = indexedDB.open("tierdesk-sent-files", 1);
			asked.onerror = () => { window.looksForFiles = false; };
			asked.onsuccess = () => {
				const count = asked.result.transaction("sent").objectStore("sent").count();
				count.onsuccess = () => { asked.result.close(); window.keptForms = count.result; window.looksForFiles = false; };
			};
		}
		return window.keptForms === 0;
	})()`)
}

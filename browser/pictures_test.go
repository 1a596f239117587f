package browser

import "testing"

// TestWhatTheDocumentationShows looks at the pages of which the documentation has pictures; with -pictures it takes them.
func TestWhatTheDocumentationShows(t *testing.T) {
	for _, shown := range []struct {
		office, user, path string
		screen             screen
		selector, words    string // what must be there
		picture            string
	}{
		{county, "zhangmin", "/desk?queue=open", pictureFrame, "main", "未分派", "desk"},
		{county, "zhangmin", "/desk?queue=open", phone, "main", "希望增加按科目汇总的查询", "desk-phone"},
		{province, "zhaoheng", "/wall", wallScreen, "main", "西湖区", "wall"},
		{city, "zhengkai", "/leader", pictureFrame, "main", "杭州市", "leader"},
		{county, "", "/help", pictureFrame, "main", "提交问题", "help"},
		{county, "luohai", "/admin/site", pictureFrame, "main", "杭州市", "site"},
	} {
		t.Run(shown.picture, func(t *testing.T) {
			t.Parallel()
			p := at(t, shown.office, 0, shown.screen)
			if shown.user != "" {
				p.signIn(shown.user)
			}
			p.open(shown.path)
			p.seesIn(shown.selector, shown.words)
			p.until("the page is quiet", `document.readyState === "complete" && !document.querySelector(".htmx-request")`)
			p.fits()
			p.picture(shown.picture)
		})
	}
}

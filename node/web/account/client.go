package account

import (
	"regexp"
	"strings"
)

// madeBy is how programs name themselves, the most particular first: most browsers also claim to be Chrome and Safari.
var madeBy = regexp.MustCompile(`(wxwork|MicroMessenger|DingTalk|Lark|Edg|OPR|Firefox|HeadlessChrome|Chrome|Version)/(\d+)`)

// browserNames are what people call the browsers that madeBy finds, in the order in which one counts before another.
var browserNames = []struct{ sign, name string }{
	{"wxwork", "企业微信"}, {"MicroMessenger", "微信"}, {"DingTalk", "钉钉"}, {"Lark", "飞书"}, {"Edg", "Edge"}, {"OPR", "Opera"},
	{"Firefox", "Firefox"}, {"HeadlessChrome", "Chrome"}, {"Chrome", "Chrome"}, {"Version", "Safari"},
}

// systemNames are signs of what a browser runs on, the most particular first.
var systemNames = []struct{ sign, name string }{
	{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
}

// clientName is what a person calls the browser that names itself so: "Chrome 148 · Windows". A program that is no browser known here
// stays as it names itself.
func clientName(agent string) string {
	versions := map[string]string{}
	for _, found := range madeBy.FindAllStringSubmatch(agent, -1) {
		versions[found[1]] = found[2]
	}
	for _, browser := range browserNames {
		version, is := versions[browser.sign]
		if !is || !strings.HasPrefix(agent, "Mozilla/") {
			continue
		}
		name := browser.name + " " + version
		for _, system := range systemNames {
			if strings.Contains(agent, system.sign) {
				return name + " · " + system.name
			}
		}
		return name
	}
	return agent
}

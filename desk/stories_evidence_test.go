package desk

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// evidence says what each story of the desk's people is evidence of, by the desk that asks for it.
func evidence() map[string]string {
	return map[string]string{
		"1-finance/three-tiers":                       "counties have a first line, cities a second, the province a third, which must give a solution",
		"1-finance/three-ways-in":                     "one queue for the plug-in with its screenshot, the web site and the telephone",
		"1-finance/call-becomes-incident":             "the first line ends a call or passes it on as an incident",
		"1-finance/knowledge":                         "on ending: code, text, root cause, and the knowledge article",
		"1-finance/application-names-its-maintainers": "the application says who works on it, at each tier",
		"1-finance/where-it-stuck":                    "at which step and with whom a ticket stuck; who was overdue",
		"2-city/dispatch-by-category":                 "dispatch by classification, the result is fed back",
		"2-city/urging":                               "urging at every step, by whoever waits",
		"2-city/reminders":                            "reminders at every step, up the ladder, without moving the ticket",
		"2-city/what-the-requester-sees":              "the requester sees step, flow, who works, and result",
		"2-city/working-together":                     "several departments work on one ticket, a coordinator leads",
		"2-city/co-signing":                           "co-signing in order or together, with a quorum",
		"2-city/approval":                             "a leader's approval at the steps that the policy names",
		"3-county/three-entries":                      "telephone, e-mail and alarms",
		"3-county/priority":                           "impact and urgency give the priority; a change restarts the clocks with credit",
		"3-county/level-1-in-working-hours":           "level 1: at once, and on site immediately",
		"3-county/level-1-at-night":                   "level 1: on site within an hour",
		"3-county/level-2":                            "level 2: again within 15 minutes, on site within an hour of working time",
		"3-county/level-3":                            "level 3: again within 30 minutes, on site within two hours or as agreed",
		"3-county/satisfaction":                       "a rating after each ticket, changed for a while",
		"3-county/emergency-plan":                     "emergency plans are checklists",
		"4-desk/the-desks-day":                        "the desk answers, sorts, assigns, tracks, informs, urges, confirms and closes",
		"4-desk/claim-decline-transfer":               "taking up, giving back and handing over, with reasons",
		"4-desk/not-accepted-in-time":                 "who does not take a ticket up loses it to the next one on duty",
		"4-desk/vendor":                               "the second line waits for a vendor, and the clock with it",
		"4-desk/waiting-for-the-requester":            "the requester's answer ends the wait, wherever it is given",
		"4-desk/major-incident":                       "major incidents are known above at once, coordinated, and looked back on",
		"4-desk/parent-and-children":                  "what solves the parent solves its children, at every site",
		"4-desk/duplicates":                           "merged, split and linked tickets",
		"4-desk/auto-close-and-reopen":                "resolved is not closed; after its window a ticket goes on as another",
		"4-desk/goes-home":                            "the county works on without its line; solved tickets go back to the desk",
		"5-power/seven-categories":                    "seven categories with special fields",
		"5-power/call-back":                           "every ended ticket is called back",
		"5-power/dissatisfied":                        "who is not satisfied gets the ticket reopened",
		"7-cloud/one-voice":                           "three entries and one desk, day and night",
		"7-cloud/progress-messages":                   "a progress message every half hour while a hard fault lasts",
		"7-cloud/new-and-vip-customers":               "call-backs of new customers on days 3, 8, 15, of VIP customers every month and quarter",
		"7-cloud/vip":                                 "who calls is known by the telephone number; VIP customers have targets of their own",
		"7-cloud/measured-by-line":                    "each line is measured by itself",
		"7-cloud/inspection":                          "inspection rounds open their tickets with their checklists",
	}
}

func TestEveryStorySaysWhatItIsEvidenceOf(t *testing.T) {
	var found []string
	paths, err := filepath.Glob("testdata/stories/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/stories/"), ".txt")
		found = append(found, name)
		if evidence()[name] == "" {
			t.Errorf("nothing says what story %s is evidence of", name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# ")) || !bytes.Contains(text, []byte("\n# ")) {
			t.Errorf("story %s does not begin with its title and the sentence that it tells", name)
		}
	}
	for name := range evidence() {
		if !slices.Contains(found, name) {
			t.Errorf("story %s is not told", name)
		}
	}
}

package policyfile

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// handwritten is a policy as people write one.
const handwritten = `# 西湖区的规定
urging: {cool_down: 5m} # 与市里一致

# 处理组
groups:
  # 服务台
  - name: desk
    title: 服务台
    members: # 按姓氏排列
      - chen # 组长
      - li
    manager: chen
    lines: [first]   # 只有一线

  - {name: room, title: 机房, members: [zhao, sun]} # 夜间另见值班表

# 值班
rosters:
- name: night
  title: {zh: 夜班, en: Night}
  calendar: office
  shifts:
  # 平时
  - {days: [mon, tue], from: 18:00, to: 08:30, people: [li]}
  # 周末
  - {days: [sat, sun], from: 00:00, to: 24:00, people: [zhao]}
`

func TestAGroupIsLaidOverATextThatPeopleWrote(t *testing.T) {
	desk := func(change func(*deskpb.Team)) *deskpb.Team {
		team := &deskpb.Team{
			Name: "desk", Title: &deskpb.Words{Zh: "服务台"}, Members: []string{"chen", "li"}, Manager: "chen", Lines: []deskpb.Ticket_Line{deskpb.Ticket_FIRST},
		}
		change(team)
		return team
	}
	for _, c := range []struct {
		name string
		team *deskpb.Team
		// What stands in the text before and after; everything else stays.
		before, after string
	}{
		{"the same", desk(func(*deskpb.Team) {}), "", ""},
		{"a member more", desk(func(t *deskpb.Team) { t.Members = []string{"chen", "li", "wang"} }),
			"      - li\n", "      - li\n      - wang\n"},
		{"a member less", desk(func(t *deskpb.Team) { t.Members = []string{"li"} }),
			"      - chen # 组长\n", ""},
		{"no member", desk(func(t *deskpb.Team) { t.Members = nil }),
			"    members: # 按姓氏排列\n      - chen # 组长\n      - li\n", ""},
		{"another line", desk(func(t *deskpb.Team) { t.Lines = append(t.Lines, deskpb.Ticket_SECOND) }),
			"    lines: [first]   # 只有一线\n", "    lines: [first, second] # 只有一线\n"},
		{"a method", desk(func(t *deskpb.Team) { t.Method, t.AcceptWithin = deskpb.Team_ROUND_ROBIN, 900 }),
			"只有一线\n", "只有一线\n    method: round_robin\n    accept_within: 15m\n"},
		{"an entry on one line", &deskpb.Team{Name: "room", Title: &deskpb.Words{Zh: "机房"}, Members: []string{"zhao"}},
			"  - {name: room, title: 机房, members: [zhao, sun]} # 夜间另见值班表\n", "  - {name: room, title: 机房, members: [zhao]} # 夜间另见值班表\n"},
		{"a new one", &deskpb.Team{Name: "net", Title: &deskpb.Words{Zh: "网络", En: "Network"}, Members: []string{"wu"}},
			"夜间另见值班表\n", "夜间另见值班表\n  - {name: net, title: {zh: 网络, en: Network}, members: [wu]}\n"},
		{"one of a layer above, taken away", &deskpb.Team{Name: "net", Removed: true},
			"夜间另见值班表\n", "夜间另见值班表\n  - {name: net, removed: true}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := PutGroup([]byte(handwritten), c.team)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(handwritten, c.before, c.after, 1)
			if string(got) != want {
				t.Errorf("the text is\n%s\nwant\n%s", got, want)
			}
			if again, err := PutGroup(got, c.team); err != nil || !bytes.Equal(again, got) {
				t.Errorf("the same once more changes the text (%v):\n%s", err, again)
			}
		})
	}
}

func TestARosterIsLaidOverATextThatPeopleWrote(t *testing.T) {
	night := func(shifts ...*deskpb.Shift) *deskpb.Roster {
		return &deskpb.Roster{Name: "night", Title: &deskpb.Words{Zh: "夜班", En: "Night"}, Calendar: "office", Shifts: shifts}
	}
	week := &deskpb.Shift{Days: []int32{1, 2}, From: 18 * 60, To: 8*60 + 30, People: []string{"li"}}
	weekend := &deskpb.Shift{Days: []int32{6, 7}, To: 24 * 60, People: []string{"zhao"}}
	turns := &deskpb.Shift{Days: []int32{6, 7}, To: 24 * 60, People: []string{"zhao", "li"}, TurnsFrom: 20261130}
	const written = "  - {days: [sat, sun], from: 00:00, to: 24:00, people: [zhao]}\n"
	for _, c := range []struct {
		name          string
		roster        *deskpb.Roster
		before, after string
	}{
		{"turns by week", night(week, turns), written, "  - {days: [sat, sun], to: '24:00', people: [zhao, li], turns_from: 2026-11-30}\n"},
		{"a shift more", night(week, weekend, turns), written, written + "  - {days: [sat, sun], to: '24:00', people: [zhao, li], turns_from: 2026-11-30}\n"},
		{"a shift before all others", night(turns, week, weekend), "  shifts:\n", "  shifts:\n  - {days: [sat, sun], to: '24:00', people: [zhao, li], turns_from: 2026-11-30}\n"},
		{"a shift less", night(weekend), "  - {days: [mon, tue], from: 18:00, to: 08:30, people: [li]}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := PutRoster([]byte(handwritten), c.roster)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(handwritten, c.before, c.after, 1); string(got) != want {
				t.Errorf("the text is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestTheOwnWordIsTakenBack(t *testing.T) {
	got, err := DropRoster([]byte(handwritten), "night")
	if want := handwritten[:strings.Index(handwritten, "rosters:")]; err != nil || string(got) != want {
		t.Errorf("without its roster (%v) the text is\n%s\nwant\n%s", err, got, want)
	}
	got, err = DropGroup([]byte(handwritten), "room")
	if want := strings.Replace(handwritten, "  - {name: room, title: 机房, members: [zhao, sun]} # 夜间另见值班表\n", "", 1); err != nil || string(got) != want {
		t.Errorf("without a group (%v) the text is\n%s\nwant\n%s", err, got, want)
	}
	if got, err := DropGroup([]byte(handwritten), "none"); err != nil || string(got) != handwritten {
		t.Errorf("without a group that is not there (%v) the text is\n%s", err, got)
	}
}

func TestAGroupComesIntoAnyText(t *testing.T) {
	team := &deskpb.Team{Name: "net", Members: []string{"wu"}}
	const line = "groups:\n  - {name: net, members: [wu]}\n"
	for source, want := range map[string]string{
		"":                                           line,
		"# 还没有规定\n":                                  "# 还没有规定\n\n" + line,
		"---\n# 还没有规定\n":                             "---\n# 还没有规定\n\n" + line,
		"urging: {cool_down: 5m}":                    "urging: {cool_down: 5m}\n\n" + line,
		"urging: {cool_down: 5m}\n\n\n":              "urging: {cool_down: 5m}\n\n" + line + "\n",
		"urging: {cool_down: 5m}\n...\n":             "urging: {cool_down: 5m}\n\n" + line + "...\n",
		"urging:\r\n  cool_down: 5m\r\n":             "urging:\r\n  cool_down: 5m\r\n\r\n" + strings.ReplaceAll(line, "\n", "\r\n"),
		"groups: []\n":                               line,
		"groups: [{name: a}] # 两个组\n":                "groups: # 两个组\n  - {name: a}\n  - {name: net, members: [wu]}\n",
		"groups:\n-\n  name: a\n":                    "groups:\n-\n  name: a\n- {name: net, members: [wu]}\n",
		"groups:\n- name: net\n  members:\n  - li\n": "groups:\n- name: net\n  members:\n  - wu\n",
		"groups:\n- members: [li] # 一人\n  # 组名\n  name: net\n": "groups:\n- members: [wu] # 一人\n  # 组名\n  name: net\n",
		"groups:\n- manager: li\n  name: net\n":                "groups:\n- {name: net, members: [wu]}\n",
		"{urging: {cool_down: 5m}}":                            "urging: {cool_down: 5m}\ngroups:\n  - {name: net, members: [wu]}\n",
	} {
		got, err := PutGroup([]byte(source), team)
		if err != nil || string(got) != want {
			t.Errorf("%q becomes (%v)\n%q, want\n%q", source, err, got, want)
		}
	}
}

func TestATextWithProblemsIsNotAmended(t *testing.T) {
	for source, want := range map[string]string{
		"groups: 5\n":  "line 1: groups: a list is expected here",
		"groups: [\n":  "correct the text first",
		"colour: red ": "the key is unknown",
		"groups:\n" + strings.Repeat("  - {name: "+strings.Repeat("a", 4000)+"}\n", 23) + "# " + strings.Repeat("b", MaxSource-92400): "a policy",
	} {
		got, err := PutGroup([]byte(source), &deskpb.Team{Name: strings.Repeat("n", 5000)})
		if err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "it has at most") {
			t.Errorf("%.60q is amended to %.60q (%v), want a refusal that says %q", source, got, err, want)
		}
	}
}

// Whatever is written can be amended to whatever else can be written.
func TestAnyPolicyIsAmendedToAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := &deskpb.Policy{}, &deskpb.Policy{}
		anyMessage(t, from.ProtoReflect())
		anyMessage(t, to.ProtoReflect())
		if rapid.Bool().Draw(t, "only groups and rosters") {
			groups, rosters := to.GetGroups(), to.GetRosters()
			to = proto.Clone(from).(*deskpb.Policy)
			to.Groups, to.Rosters = groups, rosters
		}
		source, err := Write(from)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := Write(to); err != nil || len(source) > MaxSource/2 || len(want) > MaxSource/2 {
			return // longer than a policy may be
		}
		got, err := Amend(source, to)
		if err != nil {
			t.Fatalf("%v:\n%s", err, source)
		}
		if read, problems := Read(got); len(problems) > 0 || !proto.Equal(read, to) {
			t.Fatalf("\n%s\nis amended to\n%s\nwhich is not\n%v\n%v", source, got, to, problems)
		}
	})
}

// block is a group as somebody may have written it, with remarks around.
type block struct {
	team *deskpb.Team
	text string
}

func anyBlock(t *rapid.T, i int) block {
	team := &deskpb.Team{Name: fmt.Sprintf("g%d", i), Members: rapid.SliceOfN(rapid.SampledFrom([]string{"li", "wang", "张 三", "no", "7"}), 1, 4).Draw(t, "members")}
	var quoted []string
	for _, member := range team.GetMembers() {
		quoted = append(quoted, `"`+member+`"`)
	}
	remark := rapid.SampledFrom([]string{"", "  # 说明\n", "\n", "  # 一\n\n  # 二\n"}).Draw(t, "remark")
	behind := rapid.SampledFrom([]string{"", " # 备注", "   # - name: x"}).Draw(t, "behind")
	text := "  - {name: " + team.GetName() + ", members: [" + strings.Join(quoted, ", ") + "]}" + behind + "\n"
	switch rapid.IntRange(0, 2).Draw(t, "style") {
	case 1:
		text = "  - name: " + team.GetName() + behind + "\n    members:\n      - " + strings.Join(quoted, "\n      # 下一位\n      - ") + "\n"
	case 2:
		text = "  -   members: [" + strings.Join(quoted, ",\n        ") + "]" + behind + "\n      'name': " + team.GetName() + "\n      # 完\n"
	}
	return block{team, remark + text}
}

// Whatever stands around a group that is changed stays byte for byte, and the same change once more changes nothing.
func TestWhatStandsAroundAGroupStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var blocks []block
		for i := range rapid.IntRange(1, 5).Draw(t, "groups") {
			blocks = append(blocks, anyBlock(t, i))
		}
		head := rapid.SampledFrom([]string{"", "# 头\n", "urging:\n  cool_down: 5m # 五分钟\n\n# 组\n"}).Draw(t, "head") + "groups:\n"
		foot := rapid.SampledFrom([]string{"", "\n", "# 尾\n", "\n# 派单\ndispatch: [{name: d, group: g0}]\n", "...\n"}).Draw(t, "foot")
		text := func(skip int) (parts []string) {
			for i, block := range blocks {
				if i != skip {
					parts = append(parts, block.text)
				}
			}
			return parts
		}
		source := head + strings.Join(text(-1), "") + foot
		chosen := rapid.IntRange(0, len(blocks)-1).Draw(t, "chosen")
		team := &deskpb.Team{Name: blocks[chosen].team.GetName(), Members: rapid.SliceOfN(rapid.SampledFrom([]string{"sun", "li", "wang"}), 0, 4).Draw(t, "now")}
		got, err := PutGroup([]byte(source), team)
		if err != nil {
			t.Fatalf("%v:\n%s", err, source)
		}
		rest := string(got)
		for _, part := range slices.Concat([]string{head}, text(chosen), []string{foot}) {
			at := strings.Index(rest, part)
			if at < 0 {
				t.Fatalf("\n%s\nis amended to\n%s\nwhich lacks\n%s", source, got, part)
			}
			rest = rest[at+len(part):]
		}
		layer, problems := Read(got)
		i := slices.IndexFunc(layer.GetGroups(), func(g *deskpb.Team) bool { return g.GetName() == team.GetName() })
		if len(problems) > 0 || i != chosen || !proto.Equal(layer.GetGroups()[i], team) {
			t.Fatalf("\n%s\nreads as %v %v, want group %v", got, layer, problems, team)
		}
		if again, err := PutGroup(got, team); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("the same once more changes\n%s\nto (%v)\n%s", got, err, again)
		}
		dropped, err := DropGroup(got, team.GetName())
		if layer, problems := Read(dropped); err != nil || len(problems) > 0 || len(layer.GetGroups()) != len(blocks)-1 {
			t.Fatalf("without group %s (%v) the text is\n%s\n%v", team.GetName(), err, dropped, problems)
		}
	})
}

// FuzzPutGroup lays a group over any text: it is refused, or reads back as asked, with all else as it was.
func FuzzPutGroup(f *testing.F) {
	whole, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, "desk", "li")
	f.Add([]byte(handwritten), "room", "wang")
	for _, seed := range []string{
		"", "{}", "~", "--- {}", "groups: []", "groups:\n- &a\n  name: g", "groups:\n  - name: |\n      g\n    # x\n", "? groups\n: - name: g\n", "%YAML 1.2\n---\ngroups: [{name: g}]\n...",
		"groups:\n - name: g\n   title: \"a\n    b\"\n#c\nrosters: []", "groups:\r\n- name: g\r\n",
	} {
		f.Add([]byte(seed), "g", "li")
	}
	f.Fuzz(func(t *testing.T, source []byte, name, member string) {
		want, problems := Read(source)
		team := &deskpb.Team{Name: name, Members: []string{member}}
		got, err := PutGroup(source, team)
		if err != nil || len(problems) > 0 {
			if err == nil {
				t.Fatalf("%q has the problems %v, and a group comes into it", source, problems)
			}
			return
		}
		want.Groups = put(want.GetGroups(), team)
		if read, problems := Read(got); len(problems) > 0 || !proto.Equal(read, want) {
			t.Errorf("%q becomes %q, which is read as %v with the problems %v", source, got, read, problems)
		}
	})
}

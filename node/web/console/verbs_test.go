package console

import (
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestEveryVerbStepAndStateHasWords looks for the words that are found by the name of something.
func TestEveryVerbStepAndStateHasWords(t *testing.T) {
	text, err := files.ReadFile("words.yaml")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]map[string]string{}
	if err := yaml.Unmarshal(text, &words); err != nil {
		t.Fatal(err)
	}
	need := func(key string) {
		if words[key]["zh"] == "" || words[key]["en"] == "" {
			t.Errorf("words.yaml has no words for %q", key)
		}
	}
	for _, verb := range verbs {
		need("t.verb." + verb.name)
		need("done.t." + verb.name)
		for _, field := range verb.fields {
			need("t.field." + field.name)
		}
	}
	for _, names := range []struct {
		prefix string
		of     map[int32]string
		but    []string
	}{
		{"t.step.", deskpb.Event_Type_name, []string{"TYPE_UNSPECIFIED", "OPENED", "REPLIED", "NOTED", "RESOLVED"}},
		{"t.channel.", deskpb.Ticket_Channel_name, nil},
		{"t.kind.", deskpb.Ticket_Kind_name, nil},
		{"t.link.", deskpb.TicketLink_Kind_name, nil},
		{"t.task.", deskpb.Task_Kind_name, nil},
		{"t.task-state.", deskpb.Task_State_name, nil},
		{"t.answer.", deskpb.Signer_Answer_name, nil},
		{"t.action.", deskpb.ChangeTask_Action_name, []string{"ACTION_UNSPECIFIED"}},
		{"t.outcome.", deskpb.CallBack_Outcome_name, nil},
		{"t.metric.", deskpb.Sla_Metric_name, []string{"METRIC_UNSPECIFIED"}},
		{"t.wished.", deskpb.Wish_Kind_name, []string{"KIND_UNSPECIFIED"}},
		{"t.wish-state.", deskpb.Wish_State_name, nil},
		{"t.handover.", deskpb.Handover_State_name, nil},
	} {
		for _, name := range names.of {
			if !slices.Contains(names.but, name) {
				need(names.prefix + name)
			}
		}
	}
}

func TestListedTakesTextsApartAtAnyComma(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, " , ，": nil, "li": {"li"}, "li, wang": {"li", "wang"}, "张三，李四、王五；赵六": {"张三", "李四", "王五", "赵六"},
	} {
		if got := listed(text); !slices.Equal(got, want) {
			t.Errorf("%q has the parts %q, not %q", text, got, want)
		}
	}
}

func TestGroupedKeepsChoicesUnderTheirHeadings(t *testing.T) {
	groups := grouped([]choice{{Value: "me"}, {Value: "a", Group: "x"}, {Value: "b", Group: "x"}, {Value: "c", Group: "y"}})
	if len(groups) != 3 || len(groups[1].Choices) != 2 || groups[1].Heading != "x" || groups[2].Choices[0].Value != "c" {
		t.Errorf("the groups are %+v", groups)
	}
}

func TestARefusalStandsBesideTheInputThatItIsAbout(t *testing.T) {
	inputs := []input{
		{Name: "item", Kind: kindHidden}, {Name: "outcome"}, {Name: "satisfaction.score"}, {Name: "satisfaction.comment"}, {Name: "title"}, {Name: "task.signers"},
	}
	for field, want := range map[string]string{
		"outcome": "outcome", "satisfaction.comment": "satisfaction.comment", "satisfaction": "satisfaction.score", "ticket.title": "title",
		"task.signers[1].user": "task.signers", "item": "", "": "", "etag": "", "come": "",
	} {
		got := ""
		if i := concerning(inputs, field); i >= 0 {
			got = inputs[i].Name
		}
		if got != want {
			t.Errorf("a refusal of %q stands beside %q, not %q", field, got, want)
		}
	}
}

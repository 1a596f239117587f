package tiers

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// versions are the texts of an office's own policy, the newest first; "-" for one that was taken back.
func (o *office) versions() (texts []string) {
	for _, layer := range read(o, PolicyVersions) {
		text := layer.Document.GetSource()
		if layer.Publication.GetRemoved() {
			text = "-"
		}
		texts = append(texts, text)
	}
	return texts
}

// A site keeps the versions of its own policy, up to a bound, each with who published it and when. What is published anew without a change
// is no version, and neither other documents nor the policies of other sites are among them.
func TestTheOwnPolicyKeepsItsVersions(t *testing.T) {
	top, bottom := newOffice(t, province, wall), newOffice(t, city, wall)
	admit(t, top, bottom)
	if got := bottom.versions(); len(got) != 0 {
		t.Fatalf("before anything was published there are the versions %q", got)
	}
	text := func(n int) string { return fmt.Sprintf("# %d\nurging: {cool_down: %dm}", n, n) }
	var want []string
	for n := range maxPastPolicies + 3 {
		for range 2 {
			if problems := bottom.lay(t, text(n+1)); problems != nil {
				t.Fatal(problems)
			}
		}
		want = slices.Insert(want, 0, text(n+1))
	}
	top.mustPublish(t, "停电", "周六停电")
	bottom.mustPublish(t, "停电", "周日停电")
	bottom.mustPublish(t, "停电", "周一停电")
	for n := range 2 {
		if problems := top.lay(t, text(n+40)); problems != nil {
			t.Fatal(problems)
		}
	}
	carry(t, [2]*office{top, bottom})
	if got := bottom.versions(); !slices.Equal(got, want[:maxPastPolicies+1]) {
		t.Errorf("the city keeps the versions %q, want %q", got, want[:maxPastPolicies+1])
	}
	if got, want := top.versions(), []string{text(41), text(40)}; !slices.Equal(got, want) {
		t.Errorf("the province keeps the versions %q, want %q", got, want)
	}
	if refusal := top.publish(t, &deskpb.Publication{Kind: PolicyKind, Name: PolicyName, Removed: true}); refusal != nil {
		t.Fatal(refusal)
	}
	if got, want := top.versions(), []string{"-", text(41), text(40)}; !slices.Equal(got, want) {
		t.Errorf("after the policy was taken back the province keeps the versions %q, want %q", got, want)
	}
}

// A version says how whoever published it was called then, whatever the account is called since.
func TestAPolicyVersionSaysHowItsAuthorWasCalled(t *testing.T) {
	o := newOffice(t, province, wall)
	for _, name := range []string{"李敏", "李小敏"} {
		o.calls(t, "li", name)
		body := []byte("\n\x00") // a document with an empty policy
		if name != "李敏" {
			body = append(body, "\x12\x01#"...) // and a text
		}
		refusal := o.publish(t, &deskpb.Publication{Kind: PolicyKind, Name: PolicyName, MediaType: PolicyMediaType, Body: body, Actor: "li"})
		if refusal != nil {
			t.Fatal(refusal)
		}
	}
	o.calls(t, "li", "王敏")
	var got []string
	for _, layer := range read(o, PolicyVersions) {
		got = append(got, layer.Publication.GetActor()+" "+layer.Publication.GetActorName())
	}
	if want := []string{"li 李小敏", "li 李敏"}; !slices.Equal(got, want) {
		t.Errorf("the versions are by %q, want %q", got, want)
	}
}

// calls has an office call somebody by a name from now on.
func (o *office) calls(t *testing.T, user, name string) {
	t.Helper()
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		return b.PutUser(&deskpb.User{Name: user, DisplayName: name, Role: deskpb.User_ADMINISTRATOR})
	})
	if err != nil {
		t.Fatal(err)
	}
}

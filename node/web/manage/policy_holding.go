package manage

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/policyfile"
)

// holding is the policy that holds, with the layers that it is made of.
type holding struct {
	*apipb.SitePolicy
	version uint64         // of this site's own layer; 0 when it has none
	layers  []writtenLayer // from the top
}

// writtenLayer is a layer as its text says it. That of the built-in policy has no publisher.
type writtenLayer struct {
	told   *apipb.PolicyLayer
	policy *deskpb.Policy
}

// readHolding reads the policy that holds now.
func readHolding(v *page.Visit) (*holding, error) {
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{})
	if err != nil {
		return nil, err
	}
	h := &holding{SitePolicy: inForce, layers: []writtenLayer{{policy: policy.Default()}}}
	// The API tells this site's own layer first; here the built-in policy comes first, and the own layer last.
	for _, layer := range slices.Backward(inForce.GetLayers()) {
		read, _ := policyfile.Read([]byte(layer.GetSource())) // what another release writes may not be read here, and the rest is
		h.layers = append(h.layers, writtenLayer{told: layer, policy: read})
		if layer.GetPublisher() == v.SiteID {
			h.version = layer.GetVersion()
		}
	}
	return h, nil
}

// over is the version of this site's own layer as forms send it along.
func (h *holding) over() string { return strconv.FormatUint(h.version, 10) }

// changedBy says who has changed this site's own layer last.
func (h *holding) changedBy(v *page.Visit) string {
	for _, layer := range h.layers {
		if layer.told.GetPublisher() == v.SiteID {
			return v.Word("admin.draft.meanwhile", cmp.Or(layer.told.GetActorName(), layer.told.GetActor()), v.Time(layer.told.GetTime()).Clock)
		}
	}
	return v.Word("admin.draft.taken-back")
}

// lockedBy is the site above that keeps a section as it is there, by its name; empty for none.
func (h *holding) lockedBy(v *page.Visit, section string) string {
	for _, layer := range h.layers {
		if layer.told.GetPublisher() != v.SiteID && slices.Contains(layer.told.GetLocked(), section) {
			return v.SiteNamed(layer.told.GetPublisher())
		}
	}
	return ""
}

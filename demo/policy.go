package demo

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

var (
	//go:embed policy/province.yaml
	provincePolicy string
	//go:embed policy/city.yaml
	cityPolicy string
	//go:embed policy/county.yaml
	countyPolicy string
)

// chinaTime is the zone of the demo's calendars.
var chinaTime = time.FixedZone("Asia/Shanghai", 8*60*60)

// policyOf is the policy of an office of a tier. Its inspection round is due for the first time two minutes after now.
func policyOf(tier config.Tier, now time.Time) string {
	first := now.In(chinaTime).Add(2 * time.Minute)
	switch tier {
	case config.Province:
		return provincePolicy
	case config.City:
		return cityPolicy
	}
	return strings.NewReplacer("FIRST", first.Format(time.DateOnly), "TIME", first.Format("15:04")).Replace(countyPolicy)
}

// seedPolicies gives every site that has none a policy of its own, from the province down: what a lower office says leans
// on what came from above.
func (d *Demo) seedPolicies(ctx context.Context) error {
	for _, s := range d.sites {
		if err := d.seedPolicy(ctx, s); err != nil {
			return fmt.Errorf("the policy of %s: %w", s.ID, err)
		}
	}
	return nil
}

func (d *Demo) seedPolicy(ctx context.Context, s *site) error {
	policies := apipb.NewPoliciesClient(s.desk.Conn())
	var known *apipb.SitePolicy
	err := until(ctx, "the policy of "+s.Parent, func() (done bool, err error) {
		known, err = policies.GetPolicy(ctx, &apipb.GetPolicyRequest{})
		return s.Parent == "" || published(known, s.Parent), err
	})
	if err != nil || published(known, s.ID) {
		return err
	}
	_, err = policies.ApplyPolicy(ctx, &apipb.ApplyPolicyRequest{Source: policyOf(s.Tier, time.Now())})
	return err
}

// published tells whether a site's own layer is among those of a policy.
func published(p *apipb.SitePolicy, site string) bool {
	for _, layer := range p.GetLayers() {
		if layer.GetPublisher() == site {
			return true
		}
	}
	return false
}

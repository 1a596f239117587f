package demo

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// person is a sample user.
type person struct {
	name, display string
	role          apipb.User_Role
}

// staff of an office by its tier: first line everywhere, second line in cities, third line in the province. The policies
// put them into groups; the first one of an office does what nobody else is named for.
var staff = map[config.Tier][]person{
	config.County: {
		{"zhangmin", "张敏（一线）", apipb.User_AGENT},
		{"chenjie", "陈洁（一线）", apipb.User_AGENT},
		{"luohai", "罗海（信息中心主任）", apipb.User_INCIDENT_MANAGER},
	},
	config.City: {
		{"liqiang", "李强（二线）", apipb.User_AGENT},
		{"wuyan", "吴岩（二线）", apipb.User_AGENT},
		{"zhoufang", "周芳（事件经理）", apipb.User_INCIDENT_MANAGER},
	},
	config.Province: {
		{"wangwei", "王伟（三线）", apipb.User_AGENT},
		{"hejing", "何静（三线）", apipb.User_AGENT},
		{"sunlei", "孙磊（事件经理）", apipb.User_INCIDENT_MANAGER},
	},
}

// customers are requesters whom the county knows beyond one ticket, and for how many days. The new one is called on the third.
var customers = []struct {
	name, unit, phone, class string
	days                     int
}{
	{"刘洋", "区财政局预算科", "0571-85000012", "vip", 400},
	{"陈静", "区教育局（预算单位）", "0571-85000013", "normal", 200},
	{"许晴", "区自然资源和规划局（执收单位）", "0571-85000019", "new", 3},
}

// seedPeople makes the staff of every site and signs those of the path in.
func (d *Demo) seedPeople(ctx context.Context, path [3]SiteSpec) error {
	for _, s := range d.sites {
		for _, p := range staff[s.Tier] {
			_, err := s.desk.Users.CreateUser(ctx, &apipb.CreateUserRequest{
				User: &apipb.User{Name: p.name, DisplayName: p.display, Role: p.role}, Password: d.password, KeepPassword: true,
			})
			if err != nil && status.Code(err) != codes.AlreadyExists {
				return fmt.Errorf("make the user %s at %s: %w", p.name, s.ID, err)
			}
		}
	}
	for _, spec := range path {
		s := d.site(spec.ID)
		s.staff = make(map[string]*verify.Desk)
		for _, p := range staff[s.Tier] {
			desk, err := verify.SignIn(ctx, s.grpc(), p.name, d.password)
			if err != nil {
				return err
			}
			s.staff[p.name] = desk
		}
	}
	return nil
}

// seedCustomers writes the county's customers down unless it knows them.
func seedCustomers(ctx context.Context, county *site) error {
	requesters := apipb.NewRequestersClient(county.desk.Conn())
	for _, c := range customers {
		known, err := requesters.ListRequesters(ctx, &apipb.ListRequestersRequest{Search: c.phone})
		if err != nil {
			return fmt.Errorf("look for the requester %s: %w", c.name, err)
		}
		if len(known.Requesters) > 0 {
			continue
		}
		_, err = requesters.CreateRequester(ctx, &apipb.CreateRequesterRequest{Requester: &apipb.Requester{
			Name: c.name, Unit: c.unit, Phones: []string{c.phone}, Class: c.class,
			Since: timestamppb.New(time.Now().AddDate(0, 0, -c.days).Add(time.Second)), // so that a call-back is due at once
		}})
		if err != nil {
			return fmt.Errorf("write the requester %s down: %w", c.name, err)
		}
	}
	return nil
}

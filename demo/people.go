package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// person is a sample user. The scope is that of the role unless groups are named: then only their tickets are seen.
type person struct {
	name, display string
	role          apipb.User_Role
	groups        []string
}

// account is the person as an administrator writes one down.
func (p person) account() *apipb.User {
	account := &apipb.User{Name: p.name, DisplayName: p.display, Role: p.role, Groups: p.groups}
	if len(p.groups) > 0 {
		account.Scope = apipb.User_GROUPS
	}
	return account
}

// may is what the person may do, in a word or two.
func (p person) may() string {
	role := strings.ToLower(strings.ReplaceAll(p.role.String(), "_", " "))
	if len(p.groups) > 0 {
		return role + ", own groups only"
	}
	return role
}

// People of the county whom a scene names.
const (
	countyManager  = "luohai"
	countyLeader   = "fangwei"
	countyAuditor  = "dingyi"
	countyReporter = "liuyang"
	machineRoom    = "tangyue" // an agent who sees the tickets of one group
)

// staff of an office by its tier: first line everywhere, second line in cities, third line in the province, and somebody of
// every role. The policies put them into groups; the first one of an office does what nobody else is named for.
var staff = map[config.Tier][]person{
	config.County: {
		{name: "zhangmin", display: "张敏（一线）", role: apipb.User_AGENT},
		{name: "chenjie", display: "陈洁（一线）", role: apipb.User_AGENT},
		{name: machineRoom, display: "唐悦（机房值守组）", role: apipb.User_AGENT, groups: []string{"机房值守组"}},
		{name: "sunqian", display: "孙倩（派单岗）", role: apipb.User_DISPATCHER},
		{name: countyManager, display: "罗海（信息中心主任）", role: apipb.User_INCIDENT_MANAGER},
		{name: countyLeader, display: "方伟（分管局领导）", role: apipb.User_LEADER},
		{name: countyAuditor, display: "丁怡（审计）", role: apipb.User_AUDITOR},
		{name: countyReporter, display: "刘洋（预算科，报告人）", role: apipb.User_REQUESTER},
	},
	config.City: {
		{name: "liqiang", display: "李强（二线）", role: apipb.User_AGENT},
		{name: "wuyan", display: "吴岩（二线）", role: apipb.User_AGENT},
		{name: "qianwen", display: "钱雯（派单岗）", role: apipb.User_DISPATCHER},
		{name: "zhoufang", display: "周芳（事件经理）", role: apipb.User_INCIDENT_MANAGER},
		{name: "zhengkai", display: "郑凯（分管局领导）", role: apipb.User_LEADER},
		{name: "luoying", display: "骆莹（审计）", role: apipb.User_AUDITOR},
		{name: "maxiao", display: "马晓（国库处，报告人）", role: apipb.User_REQUESTER},
	},
	config.Province: {
		{name: "wangwei", display: "王伟（三线）", role: apipb.User_AGENT},
		{name: "hejing", display: "何静（三线）", role: apipb.User_AGENT},
		{name: "tanglin", display: "唐琳（派单岗）", role: apipb.User_DISPATCHER},
		{name: "sunlei", display: "孙磊（事件经理）", role: apipb.User_INCIDENT_MANAGER},
		{name: "zhaoheng", display: "赵恒（分管厅领导）", role: apipb.User_LEADER},
		{name: "guoxin", display: "郭欣（审计）", role: apipb.User_AUDITOR},
		{name: "linfeng", display: "林枫（预算处，报告人）", role: apipb.User_REQUESTER},
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
				User: p.account(), Password: d.password, KeepPassword: true,
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

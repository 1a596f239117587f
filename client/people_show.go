package client

import (
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// users is a page of users, the first one under a header.
func (p *printer) users(columns *table, users []*apipb.User, first bool) string {
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"用户", "USER"}, phrase{"角色", "ROLE"}, phrase{"范围", "SCOPE"}, phrase{"状态", "STATE"},
			phrase{"姓名", "NAME"}, phrase{"单位", "UNIT"}))
	}
	for _, u := range users {
		rows = append(rows, []string{u.GetName(), p.name(u.GetRole()), p.scope(u), p.standing(u), u.GetDisplayName(), u.GetUnit()})
	}
	return columns.layOut(rows)
}

// scope is which tickets a person sees: as the account says, or as it is for the role.
func (p *printer) scope(u *apipb.User) string {
	switch {
	case u.GetScope() != apipb.User_SCOPE_UNSPECIFIED:
		return p.name(u.GetScope())
	case u.GetRole() == apipb.User_REQUESTER:
		return p.name(apipb.User_OWN)
	default:
		return p.name(apipb.User_SUBTREE)
	}
}

// standing says whether a person may sign in now, and what is asked for then.
func (p *printer) standing(u *apipb.User) string {
	switch {
	case u.GetDisabled():
		return p.say(phrase{"已停用", "disabled"})
	case u.GetLockTime() != nil:
		return fmt.Sprintf(p.say(phrase{"锁定至 %s", "locked until %s"}), p.when(u.GetLockTime()))
	case u.GetMustChangePassword():
		return p.say(phrase{"须改密码", "must change password"})
	default:
		return p.say(phrase{"正常", "active"})
	}
}

// user is everything that is known of one person.
func (p *printer) user(u *apipb.User) string {
	var lines []string
	for _, line := range u.GetLines() {
		lines = append(lines, p.name(line))
	}
	groups := u.GetMemberOf() // those that the policy says among them
	if len(groups) == 0 {
		groups = u.GetGroups()
	}
	b := &block{printer: p}
	b.add(phrase{"用户", "User"}, u.GetName())
	b.add(phrase{"姓名", "Name"}, u.GetDisplayName())
	b.add(phrase{"角色", "Role"}, p.name(u.GetRole()))
	b.add(phrase{"范围", "Scope"}, p.scope(u))
	b.add(phrase{"所辖机构", "Offices"}, strings.Join(u.GetOffices(), ", "))
	b.add(phrase{"处理组", "Groups"}, strings.Join(groups, ", "))
	b.add(phrase{"支持线", "Lines"}, strings.Join(lines, ", "))
	b.add(phrase{"单位", "Unit"}, u.GetUnit())
	b.add(phrase{"电话", "Phone"}, u.GetPhone())
	b.add(phrase{"邮箱", "Mail"}, u.GetEmail())
	b.add(phrase{"账号来源", "Source"}, p.name(u.GetSource()))
	b.add(phrase{"状态", "State"}, p.standing(u))
	b.add(phrase{"双因素认证", "Second factor"}, p.yes(u.GetSecondFactor()))
	b.add(phrase{"值班", "On duty"}, p.yes(u.GetOnDuty()))
	b.when(phrase{"新增时间", "Created"}, u.GetCreateTime())
	b.add(phrase{"版本", "Etag"}, u.GetEtag())
	return b.String()
}

package policy

import (
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Edition counts the versions of the built-in policy. A site takes a greater one than the one it began with.
const Edition = 2

// Names of the built-in policy that rules know.
const (
	// AllTime is the calendar in which all time counts.
	AllTime = "7x24"
	// OfficeTime is the calendar of working days.
	OfficeTime = "office"
	// Duplicate is the resolution code of a ticket that was merged into another one.
	Duplicate = "duplicate"
)

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// Default returns the policy that a site begins with, so that a fresh site works at once. It is built anew for each call
// and belongs to the caller; who needs it often keeps it.
func Default() *deskpb.Policy {
	return &deskpb.Policy{
		Calendars:       defaultCalendars(),
		Categories:      defaultCategories(),
		Services:        defaultServices(),
		Priorities:      &deskpb.PriorityMatrix{Priorities: []int32{1, 2, 3, 2, 3, 4, 3, 4, 5}},
		FaultLevels:     defaultFaultLevels(),
		HoldReasons:     defaultHoldReasons(),
		ResolutionCodes: defaultResolutionCodes(),
		Targets:         defaultTargets(),
		Ladders:         defaultLadders(),
		Urging:          &deskpb.Urging{CoolDown: 15 * minute, ClimbEvery: 3, RefuseOnHold: true},
		CallBacks: &deskpb.CallBacks{
			Percent: 100, After: hour, Calendar: OfficeTime, Attempts: 3,
			WelcomeDays: []int32{3, 8, 15}, VipMonths: 1, VisitMonths: 3, DissatisfiedScore: 2,
		},
		Closing: &deskpb.Closing{
			AutoCloseDays: 3, Calendar: OfficeTime, ReopenWithin: 7 * day, RatingEditable: 12 * hour, SurveyValid: 7 * day,
			ReviewMajor: true,
		},
		Portal:     &deskpb.Portal{Guests: true},
		Checklists: defaultChecklists(),
		Templates:  defaultTemplates(),
		Macros:     defaultMacros(),
		Edition:    Edition,
	}
}

func words(zh, en string) *deskpb.Words { return &deskpb.Words{Zh: zh, En: en} }

// defaultTargets are the end-to-end times of the county scheme and of the five priorities, and for incidents the share of
// them that each tier has. On-site times count for tickets that ask for a visit.
func defaultTargets() []*deskpb.Target {
	severity := func(level int32) *deskpb.Match { return &deskpb.Match{Severities: []int32{level}} }
	targets := []*deskpb.Target{
		{Name: "response-level-1", Metric: deskpb.Sla_RESPONSE, Match: severity(1), Within: 5 * minute, Calendar: AllTime},
		{Name: "response-level-2", Metric: deskpb.Sla_RESPONSE, Match: severity(2), Within: 15 * minute, Calendar: AllTime},
		{Name: "response-level-3", Metric: deskpb.Sla_RESPONSE, Match: severity(3), Within: 30 * minute, Calendar: AllTime},
		{Name: "update-major", Metric: deskpb.Sla_UPDATE, Match: &deskpb.Match{Major: true}, Within: 30 * minute, Calendar: AllTime},
		{Name: "update-level-1", Metric: deskpb.Sla_UPDATE, Match: severity(1), Within: 30 * minute, Calendar: AllTime},
		{Name: "on-site-level-1-working", Metric: deskpb.Sla_ON_SITE, Match: severity(1), Within: 15 * minute, Calendar: AllTime,
			When: deskpb.Target_WORKING, WhenCalendar: OfficeTime},
		{Name: "on-site-level-1", Metric: deskpb.Sla_ON_SITE, Match: severity(1), Within: hour, Calendar: AllTime},
		{Name: "on-site-level-2", Metric: deskpb.Sla_ON_SITE, Match: severity(2), Within: hour, Calendar: OfficeTime},
		{Name: "on-site-level-3", Metric: deskpb.Sla_ON_SITE, Match: severity(3), Within: 2 * hour, Calendar: OfficeTime},
	}
	resolution := []int64{4 * hour, 8 * hour, 24 * hour, 72 * hour, 120 * hour}
	for i, within := range resolution {
		targets = append(targets, &deskpb.Target{
			Name: fmt.Sprintf("resolution-priority-%d", i+1), Metric: deskpb.Sla_RESOLUTION,
			Match: &deskpb.Match{Priorities: []int32{int32(i + 1)}}, Within: within, Calendar: AllTime,
		})
	}
	for _, share := range []struct {
		tier    string
		percent int64
	}{{"COUNTY", 25}, {"CITY", 50}, {"PROVINCE", 75}} {
		for i, within := range resolution {
			targets = append(targets, &deskpb.Target{
				Name:   fmt.Sprintf("resolution-%s-priority-%d", strings.ToLower(share.tier), i+1),
				Metric: deskpb.Sla_RESOLUTION, Tier: share.tier, Within: within * share.percent / 100, Calendar: AllTime,
				Match: &deskpb.Match{Priorities: []int32{int32(i + 1)}, Kinds: []deskpb.Ticket_Kind{deskpb.Ticket_INCIDENT}},
			})
		}
	}
	return targets
}

// defaultLadders remind the group, then its manager, then the incident managers, and above when the time is over.
func defaultLadders() []*deskpb.Ladder {
	rungs := func(pace int64) []*deskpb.Rung {
		return []*deskpb.Rung{
			{Who: deskpb.Rung_GROUP, Times: 2, Every: pace},
			{Who: deskpb.Rung_GROUP_MANAGER, Times: 2, Every: pace},
			{Who: deskpb.Rung_INCIDENT_MANAGER, Times: 2, Every: 2 * pace},
			{Who: deskpb.Rung_PARENT_MANAGER, Times: 1, Every: 2 * pace, Mark: 100},
		}
	}
	return []*deskpb.Ladder{
		{Name: "major", Match: &deskpb.Match{Major: true}, Rungs: rungs(5 * minute)},
		{Name: "level-1", Match: &deskpb.Match{Severities: []int32{1}}, Rungs: rungs(10 * minute)},
		{Name: "default", Rungs: rungs(30 * minute)},
	}
}

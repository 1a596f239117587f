package page

import (
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Moment is a time as pages show it: how long ago, and exactly on a closer look. The zero Moment is none and shows nothing.
type Moment struct {
	Ago   string // "5 分钟前"
	Clock string // "15:04", with the date where it is another day's
	Exact string // with seconds and zone
	ISO   string // for machines
}

// Time shows a time of the API.
func (v *Visit) Time(t *timestamppb.Timestamp) Moment {
	if t == nil || (t.GetSeconds() == 0 && t.GetNanos() == 0) {
		return Moment{}
	}
	return v.Moment(t.AsTime())
}

// Moment shows a time in the visitor's zone.
func (v *Visit) Moment(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	at := t.In(v.zone)
	return Moment{
		Ago: v.ago(v.now.Sub(t)), Clock: v.clock(at), Exact: at.Format("2006-01-02 15:04:05 MST (UTC-07:00)"), ISO: at.Format(time.RFC3339),
	}
}

// Now is when the page is made, in the visitor's zone.
func (v *Visit) Now() time.Time { return v.now }

// Zone is the visitor's time zone.
func (v *Visit) Zone() *time.Location { return v.zone }

// clock shows a moment: the time of day for today, with the date otherwise.
func (v *Visit) clock(at time.Time) string {
	switch {
	case at.Format(time.DateOnly) == v.now.Format(time.DateOnly):
		return at.Format("15:04")
	case at.Year() == v.now.Year():
		return at.Format("01-02 15:04")
	}
	return at.Format("2006-01-02 15:04")
}

func (v *Visit) ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return v.Word("ago.now")
	default:
		return v.Word("ago", v.Span(d))
	}
}

// Span is a length of time in words: "42 分钟", "1 小时 05 分", "8 小时", "3 天 4 小时", "2 天".
func (v *Visit) Span(d time.Duration) string {
	minutes := int(math.Ceil(max(d, 0).Minutes()))
	switch {
	case minutes < 60:
		return v.Word("span.minutes", minutes)
	case minutes < 24*60 && minutes%60 == 0:
		return v.Word("span.whole-hours", minutes/60)
	case minutes < 24*60:
		return v.Word("span.hours", minutes/60, minutes%60)
	}
	days, hours := minutes/(24*60), minutes/60%24
	if hours == 0 {
		return v.Word("span.whole-days", days)
	}
	return v.Word("span.days", days, hours)
}

// Deadline is a time by which something is to be done: "还剩 42 分钟", or "超时 1 小时 05 分". The zero Deadline is none.
type Deadline struct {
	Text  string
	Late  bool
	Exact string
	ISO   string // for the script that counts down; empty for a clock that stands still
}

// Deadline shows how long there is until a time, or how long it is past.
func (v *Visit) Deadline(due *timestamppb.Timestamp) Deadline {
	at := v.Time(due)
	if at.ISO == "" {
		return Deadline{}
	}
	left := due.AsTime().Sub(v.now)
	shown := Deadline{Exact: at.Exact, ISO: at.ISO, Late: left < 0}
	if shown.Late {
		shown.Text = v.Word("late", v.Span(-left))
	} else {
		shown.Text = v.Word("left", v.Span(left))
	}
	return shown
}

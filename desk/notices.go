package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// maxNoticeText bounds the text of a notice, in characters: the journal has the whole.
const maxNoticeText = 200

// News is an event as a site comes to know it.
type News struct {
	Event Sealed
	// Before is the ticket without the event, nil when it was not known; After the ticket with it.
	Before, After *deskpb.Record
	// Time is the site's, in microseconds since 1970.
	Time int64
}

// Notices returns what the people of this site are told of an event, without times and orders. Who did a thing is not
// told of it, and of a ticket that changes hands only those hear who get it. Two notices of one person with one key are
// the same. An error is a fault of the view.
func Notices(here Here, view View, news News) ([]*deskpb.Notice, error) {
	h := hearers{here: here, view: view, ticket: news.After.GetTicket(), at: news.Time}
	people, err := h.concerned(news)
	if err != nil {
		return nil, fmt.Errorf("find who hears of event %s: %w", EventName(news.Event.GetId()), err)
	}
	var notices []*deskpb.Notice
	for _, person := range people {
		if person == news.Event.GetActor() {
			continue
		}
		notices = append(notices, &deskpb.Notice{
			User:   person,
			Ticket: news.Event.GetTicket(),
			Title:  h.ticket.GetTitle(),
			Kind:   news.Event.GetType().String(),
			Text:   noticeText(news.Event),
			Key:    noticeKey(news.Event),
		})
	}
	return notices, nil
}

// concerned lists the people of this site who hear of the event.
func (h hearers) concerned(news News) ([]string, error) {
	e := news.Event
	body, own := e.GetBody(), e.GetId().GetSite() == string(h.here.Site)
	switch e.GetType() {
	case deskpb.Event_NOTED, deskpb.Event_REPLIED, deskpb.Event_URGED, deskpb.Event_ALERTED, deskpb.Event_WISH_SETTLED:
		return h.concernedAnywhere(news)
	case deskpb.Event_REMINDED:
		if e.GetTo() == string(h.here.Site) {
			return h.managers()
		}
	}
	if !own {
		return nil, nil
	}
	switch e.GetType() {
	case deskpb.Event_OPENED:
		first := body.GetOpened().GetTicket()
		return h.heirs(first.GetAssignee(), first.GetGroup())
	case deskpb.Event_ASSIGNED:
		if body.GetAssignee() == "" && len(news.After.GetPassedOver()) > 0 {
			return nil, nil // the group has it still, and each of its members had it
		}
		return h.heirs(body.GetAssignee(), body.GetGroup())
	case deskpb.Event_REOPENED:
		return h.present(h.ticket.GetAssignee())
	case deskpb.Event_CLOCK_PASSED:
		return h.workers()
	case deskpb.Event_REMINDED:
		return h.present(body.GetTold()...)
	case deskpb.Event_CLASSIFIED:
		if slices.Contains(body.GetClassification().GetFields(), "coordinator") {
			return h.present(h.ticket.GetCoordinator())
		}
	case deskpb.Event_TASK_ADDED:
		return h.taskHearers(body.GetTask())
	case deskpb.Event_TASK_CHANGED:
		if task := body.GetTask(); task.GetState() != deskpb.Task_OPEN {
			return h.present(task.GetActor())
		}
		return h.taskHearers(body.GetTask())
	}
	return nil, nil
}

// concernedAnywhere is concerned for events that people of a site hear of wherever they were written.
func (h hearers) concernedAnywhere(news News) ([]string, error) {
	e := news.Event
	here := string(h.here.Site)
	held := holds(h.here, news.After)
	switch e.GetType() {
	case deskpb.Event_ALERTED:
		if e.GetId().GetSite() != here {
			return h.managers()
		}
	case deskpb.Event_WISH_SETTLED:
		for _, wish := range h.ticket.GetWishes() {
			if wish.GetId() == e.GetBody().GetWishId() && wish.GetSite() == here {
				return h.present(wish.GetActor())
			}
		}
	case deskpb.Event_NOTED:
		if held {
			return h.present(h.ticket.GetAssignee())
		}
	case deskpb.Event_REPLIED:
		if held {
			return h.workers()
		}
	case deskpb.Event_URGED:
		if held {
			return h.urged(news)
		}
	}
	return nil, nil
}

// urged lists who hears an urge: nobody when it is not a cool-down later than another one that came here before it, because two
// sites urged without knowing of each other.
func (h hearers) urged(news News) ([]string, error) {
	p, err := h.policy()
	if err != nil {
		return nil, err
	}
	if _, soon := urgedLately(p, news.Before, news.Event.GetTime()); soon {
		return nil, nil
	}
	told, err := h.hurried(news.Event.GetBody().GetLevel())
	return told.people, err
}

// heirs lists who hears that a ticket was given to a person, or to a group when that is empty.
func (h hearers) heirs(assignee, group string) ([]string, error) {
	if assignee != "" {
		return h.present(assignee)
	}
	return h.team(group)
}

// taskHearers lists those whose turn an open task is.
func (h hearers) taskHearers(task *deskpb.Task) ([]string, error) {
	var signers []string
	for _, signer := range task.GetSigners() {
		if signer.GetAnswer() == deskpb.Signer_PENDING {
			signers = append(signers, signer.GetUser())
		}
	}
	switch {
	case len(signers) > 0 && task.GetOrdered():
		return h.present(signers[0])
	case len(signers) > 0:
		return h.present(signers...)
	}
	return h.heirs(task.GetAssignee(), task.GetGroup())
}

// noticeText is what a notice says of the event besides its kind.
func noticeText(e Sealed) string {
	said := e.GetBody().GetText()
	if e.GetType() == deskpb.Event_CLOCK_PASSED {
		said = strings.Join(marksOf(e), ", ")
	}
	said = cmp.Or(said, e.GetBody().GetTask().GetTitle())
	said, _, _ = strings.Cut(said, "\n")
	if letters := []rune(said); len(letters) > maxNoticeText {
		return string(letters[:maxNoticeText-1]) + "…"
	}
	return said
}

// noticeKey names what a notice is about: the ticket, the kind of event, and what makes one event of the kind different from the
// next for those who hear of it. A clock that passes a mark again with the same due time is no news.
func noticeKey(e Sealed) string {
	distinct := EventName(e.GetId())
	switch e.GetType() {
	case deskpb.Event_CLOCK_PASSED:
		distinct = strings.Join(marksOf(e), ",")
		for _, clock := range e.GetBody().GetClocks() {
			distinct += "@" + instant(clock.GetDueTime())
		}
	case deskpb.Event_TASK_ADDED, deskpb.Event_TASK_CHANGED:
		// Who was told that a task is open need not hear of each step of the others.
		task := e.GetBody().GetTask()
		return fmt.Sprintf("%s/TASK/%d/%s", e.GetTicket(), task.GetId(), task.GetState())
	}
	return fmt.Sprintf("%s/%s/%s", e.GetTicket(), e.GetType(), distinct)
}

// marksOf names the clocks that the event says have passed a mark, with the mark.
func marksOf(e Sealed) (marks []string) {
	for _, clock := range e.GetBody().GetClocks() {
		name := clock.GetMetric().String()
		if clock.GetTier() != "" {
			name += " " + clock.GetTier()
		}
		marks = append(marks, fmt.Sprintf("%s %d %%", name, clock.GetMark()))
	}
	return marks
}

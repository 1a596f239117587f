package console

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// fact is one thing that is known of a ticket. A fact without a text is not shown.
type fact struct {
	Word, Text string
	Path       string // where more is said of it
	Written    bool   // by people, in whatever language
	At         page.Moment
}

// side is what stands beside the journal.
type side struct {
	Number        string
	Requester     []fact
	VIP, Masked   bool
	Past          string // where the requester's other tickets are
	Sorting, Work []fact
	Times         []fact
	Special       []fact
	Tags          []string
	Tasks         []taskShown
	TasksEnded    int // how many of them are not open any more
	Checklist     []checkShown
	Links         []linkShown
	Wishes        []wishShown
	CallBack      *callBackShown
	Satisfaction  []fact
	Review        string
	Resolution    []fact
	Repeats       string
	May           map[string]bool // the verbs that the visitor may use
	Etag, Request string
}

// taskShown is work beside the assignee's.
type taskShown struct {
	ID            uint32
	Kind, Title   string
	Mark          page.Mark
	Who           string
	Result        string
	Mandatory     bool
	Signers       []signerShown
	Actions       []choice // what the visitor may do with it
	Ended, Opened page.Moment
}

type signerShown struct {
	Who, Comment string
	Mark         page.Mark
}

type checkShown struct {
	Item         int
	Text, Result string
	Required     bool
	Done         bool
	Who          string
	At           page.Moment
}

type linkShown struct {
	Kind, Word, Number string
	Made               bool // by hand, so that a hand may take it back
}

type wishShown struct {
	Word, Text, Answer string
	Who, Site          string
	Mark               page.Mark
	At                 page.Moment
}

type callBackShown struct {
	Due      page.Deadline
	Outcome  string
	Comment  string
	Who      string
	At       page.Moment
	Attempts uint32
	Done     bool
}

func (d *dossier) side(request string) side {
	t := d.ticket
	s := side{
		Number: t.GetNumber(), Tags: t.GetTags(), Special: d.specialShown(), Review: t.GetReview(), May: d.verbs, Etag: t.GetEtag(), Request: request,
		Sorting: d.sorting(), Work: d.work(), Times: d.times(),
	}
	d.requester(&s)
	for _, task := range t.GetTasks() {
		s.Tasks = append(s.Tasks, d.task(task))
		if task.GetState() != deskpb.Task_OPEN {
			s.TasksEnded++
		}
	}
	for i, entry := range t.GetChecklist() {
		s.Checklist = append(s.Checklist, checkShown{
			Item: i, Text: entry.GetText(), Result: entry.GetResult(), Required: entry.GetRequired(), Done: entry.GetDone(),
			Who: d.person(entry.GetActor(), d.custodian(), t.GetHomeSite()), At: d.Time(entry.GetTime()),
		})
	}
	for _, link := range t.GetLinks() {
		kind := link.GetKind().String()
		s.Links = append(s.Links, linkShown{
			Kind: kind, Word: d.Word("t.link." + kind), Number: link.GetNumber(), Made: link.GetKind() <= deskpb.TicketLink_CAUSE_OF,
		})
	}
	for _, wish := range t.GetWishes() {
		s.Wishes = append(s.Wishes, d.wish(wish))
	}
	d.aftermath(&s)
	return s
}

func (d *dossier) requester(s *side) {
	r := d.ticket.GetRequester()
	s.Requester = []fact{
		{Word: d.Word("t.f.requester.name"), Text: r.GetName()}, {Word: d.Word("t.f.requester.unit"), Text: r.GetUnit()},
		{Word: d.Word("t.f.requester.phone"), Text: r.GetPhone(), Path: callPath(r.GetPhone())}, {Word: d.Word("t.f.requester.email"), Text: r.GetEmail()},
	}
	s.VIP = r.GetClass() == "vip"
	s.Masked = d.verbs["revealRequester"] && strings.Contains(r.GetPhone()+r.GetEmail(), "***")
	filter := ""
	switch {
	case r.GetId() != "":
		filter = "requester.id = " + strconv.Quote(r.GetId())
	case r.GetName() != "" && !strings.ContainsAny(r.GetName(), `"\`):
		filter = `requester.name = "` + r.GetName() + `"`
	}
	if filter != "" {
		s.Past = "/desk?" + url.Values{"queue": {"all"}, "filter": {filter}}.Encode()
	}
}

// callPath dials a number that is not masked.
func callPath(phone string) string {
	if phone == "" || strings.Contains(phone, "*") {
		return ""
	}
	return "tel:" + strings.ReplaceAll(phone, " ", "")
}

func (d *dossier) sorting() []fact {
	t := d.ticket
	levels := func(n int32) string {
		if n == 0 {
			return ""
		}
		return d.Word("t.level." + strconv.Itoa(int(n)))
	}
	application := strings.TrimSpace(t.GetApplication() + " " + t.GetApplicationVersion())
	facts := []fact{
		{Word: d.Word("t.f.application"), Text: application}, {Word: d.Word("t.f.category"), Text: d.categoryTitle(t.GetCategory())},
		{Word: d.Word("t.f.service"), Text: t.GetService()}, {Word: d.Word("t.f.configurationItem"), Text: t.GetConfigurationItem()},
		{Word: d.Word("t.f.impact"), Text: levels(t.GetImpact())}, {Word: d.Word("t.f.urgency"), Text: levels(t.GetUrgency())},
		{Word: d.Word("t.f.severity"), Text: d.severity(t.GetSeverity())},
	}
	if t.GetVisit() {
		facts = append(facts, fact{Word: d.Word("t.f.visit"), Text: d.Word("t.yes")})
	}
	return facts
}

func (d *dossier) work() []fact {
	t := d.ticket
	var others []string
	for _, user := range t.GetCollaborators() {
		others = append(others, d.person(user, t.GetHomeSite()))
	}
	facts := []fact{
		{Word: d.Word("t.f.assignee"), Text: d.person(t.GetAssignee(), desk.AssigneeSite(t))}, {Word: d.Word("t.f.group"), Text: d.groupTitle(t.GetGroup())},
		{Word: d.Word("t.f.collaborators"), Text: strings.Join(others, ", ")},
		{Word: d.Word("t.f.coordinator"), Text: d.person(t.GetCoordinator(), d.coordinatorSite())},
		{Word: d.Word("t.f.custodianSite"), Text: d.SiteNamed(d.custodian())}, {Word: d.Word("t.f.homeSite"), Text: d.SiteNamed(t.GetHomeSite())},
	}
	if n := t.GetUrgeCount(); n > 0 {
		facts = append(facts, fact{Word: d.Word("t.f.urgeCount"), Text: d.Word("t.times", n)})
	}
	if n := t.GetReopenCount(); n > 0 {
		facts = append(facts, fact{Word: d.Word("t.f.reopenCount"), Text: d.Word("t.times", n)})
	}
	return facts
}

func (d *dossier) times() []fact {
	t := d.ticket
	facts := []fact{{Word: d.Word("t.f.openTime"), At: d.Time(t.GetOpenTime())}, {Word: d.Word("t.f.respondTime"), At: d.Time(t.GetRespondTime())}}
	if t.GetArriveTime() != nil {
		facts = append(facts, fact{Word: d.Word("t.f.arriveTime"), At: d.Time(t.GetArriveTime())})
	}
	facts = append(facts, fact{Word: d.Word("t.f.resolveTime"), At: d.Time(t.GetResolveTime())}, fact{Word: d.Word("t.f.closeTime"), At: d.Time(t.GetCloseTime())})
	if t.GetState() == deskpb.Ticket_RESOLVED {
		facts = append(facts, fact{Word: d.Word("t.f.autoCloseTime"), At: d.Time(t.GetAutoCloseTime())})
	}
	return facts
}

func (d *dossier) task(task *deskpb.Task) taskShown {
	shown := taskShown{
		ID: task.GetId(), Kind: d.Word("t.task." + task.GetKind().String()), Title: task.GetTitle(), Result: task.GetResult(), Mandatory: task.GetMandatory(),
		Who: d.person(task.GetAssignee(), task.GetSite()), Opened: d.Time(task.GetOpenTime()), Ended: d.Time(task.GetEndTime()),
		Mark: taskMark(task.GetState()),
	}
	shown.Mark.Word = d.Word("t.task-state." + task.GetState().String())
	if shown.Who == "" {
		shown.Who = d.groupTitle(task.GetGroup())
	}
	mayAgree := false
	for _, signer := range task.GetSigners() {
		one := signerShown{Who: d.person(signer.GetUser(), task.GetSite()), Comment: signer.GetComment(), Mark: answerMark(signer.GetAnswer())}
		one.Mark.Word = d.Word("t.answer." + signer.GetAnswer().String())
		shown.Signers = append(shown.Signers, one)
		mayAgree = mayAgree || signer.GetUser() == d.Actor.GetUser() && signer.GetAnswer() == deskpb.Signer_PENDING
	}
	if !d.verbs["changeTask"] || task.GetState() != deskpb.Task_OPEN {
		return shown
	}
	if task.GetKind() == deskpb.Task_WORK {
		shown.Actions = d.worded("t.action.", deskpb.ChangeTask_FINISH.String())
	} else if mayAgree {
		shown.Actions = d.worded("t.action.", deskpb.ChangeTask_AGREE.String(), deskpb.ChangeTask_REFUSE.String())
	}
	shown.Actions = append(shown.Actions, d.worded("t.action.", deskpb.ChangeTask_CANCEL.String())...)
	return shown
}

func taskMark(state deskpb.Task_State) page.Mark {
	switch state {
	case deskpb.Task_DONE:
		return page.Mark{Shape: "●", Tone: "good"}
	case deskpb.Task_REJECTED:
		return page.Mark{Shape: "✕", Tone: "bad"}
	case deskpb.Task_CANCELED:
		return page.Mark{Shape: "✕", Tone: "off"}
	}
	return page.Mark{Shape: "○", Tone: "calm"}
}

func answerMark(answer deskpb.Signer_Answer) page.Mark {
	switch answer {
	case deskpb.Signer_AGREED:
		return page.Mark{Shape: "●", Tone: "good"}
	case deskpb.Signer_REFUSED:
		return page.Mark{Shape: "✕", Tone: "bad"}
	}
	return page.Mark{Shape: "○", Tone: "off"}
}

func (d *dossier) wish(wish *deskpb.Wish) wishShown {
	shown := wishShown{
		Word: d.Word("t.wished." + wish.GetKind().String()), Text: wish.GetText(), Answer: wish.GetAnswer(), Who: d.person(wish.GetActor(), wish.GetSite()),
		Site: d.SiteNamed(wish.GetSite()), At: d.Time(wish.GetTime()), Mark: page.Mark{Shape: "○", Tone: "wait"},
	}
	switch wish.GetState() {
	case deskpb.Wish_GRANTED:
		shown.Mark = page.Mark{Shape: "●", Tone: "good"}
	case deskpb.Wish_DECLINED:
		shown.Mark = page.Mark{Shape: "✕", Tone: "off"}
	}
	shown.Mark.Word = d.Word("t.wish-state." + wish.GetState().String())
	return shown
}

// aftermath is what came after the solution.
func (d *dossier) aftermath(s *side) {
	t := d.ticket
	if call := t.GetCallBack(); call != nil {
		s.CallBack = &callBackShown{
			Comment: call.GetComment(), Who: d.person(call.GetActor(), t.GetHomeSite()), At: d.Time(call.GetTime()), Attempts: call.GetAttempts(), Done: call.GetDone(),
		}
		if !call.GetDone() {
			s.CallBack.Due = d.Deadline(call.GetDueTime())
		}
		if call.GetOutcome() != deskpb.CallBack_OUTCOME_UNSPECIFIED {
			s.CallBack.Outcome = d.Word("t.outcome." + call.GetOutcome().String())
		}
	}
	if said := t.GetSatisfaction(); said.GetScore() > 0 {
		s.Satisfaction = []fact{{Word: d.Word("t.score." + strconv.Itoa(int(said.GetScore()))), Text: said.GetComment()}}
	}
	if solution := t.GetResolution(); solution != nil {
		s.Resolution = []fact{
			{Word: d.Word("t.f.resolution.code"), Text: d.codeTitle(solution.GetCode())}, {Word: d.Word("t.f.resolution.text"), Text: solution.GetText(), Written: true},
			{Word: d.Word("t.f.resolution.rootCause"), Text: solution.GetRootCause(), Written: true},
		}
	}
	if t.GetApplication() == "" || d.behind {
		return
	}
	repeats, err := d.API.Tickets.CountRepeats(d.Ctx(), &apipb.CountRepeatsRequest{Number: t.GetNumber()})
	if err == nil && repeats.GetCount() > 0 {
		s.Repeats = d.Word("t.repeats", repeats.GetDays(), repeats.GetCount())
	}
}

package support

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// surveyPage asks who has the link of a survey how the service was.
type surveyPage struct {
	page.Frame
	Home    string // where the answer goes
	Subject string // what the problem was
	State   page.Mark
	Stars   []star
	Rated   int32
	Comment string
	Until   page.Moment
	Wrong   string // what is wrong with the answer; empty for nothing
}

func serveSurvey(v *page.Visit) error {
	token := v.R.PathValue("token")
	survey, err := v.API.Surveys.GetSurvey(v.Ctx(), &apipb.GetSurveyRequest{Token: token})
	if err != nil {
		return err
	}
	return showSurvey(v, http.StatusOK, survey, survey.GetSatisfaction(), "")
}

// showSurvey shows the survey with an answer: the one that counts, or what was typed with what is wrong with it.
func showSurvey(v *page.Visit, status int, survey *apipb.Survey, said *deskpb.Satisfaction, wrong string) error {
	return v.Render(status, "help-survey.html", surveyPage{
		Frame: frame(v, v.Word("help.survey")), Home: "/help/s/" + url.PathEscape(v.R.PathValue("token")), Subject: survey.GetTitle(),
		State: v.State(survey.GetState()), Stars: starsOf(v, said.GetScore()), Rated: survey.GetSatisfaction().GetScore(),
		Comment: said.GetComment(), Until: v.Time(survey.GetExpireTime()), Wrong: wrong,
	})
}

// serveAnswerSurvey takes the answer. What was typed is shown again when it is refused.
func serveAnswerSurvey(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	score, _ := strconv.ParseInt(form.Get("score"), 10, 32) // none is 0, which the API refuses with the name of the field
	said := &deskpb.Satisfaction{Score: int32(score), Comment: strings.TrimSpace(form.Get("comment"))}
	token := v.R.PathValue("token")
	if _, err = v.API.Surveys.AnswerSurvey(v.Ctx(), &apipb.AnswerSurveyRequest{Token: token, Satisfaction: said}); err == nil {
		return v.Redirect("/help/s/" + url.PathEscape(token) + "?done=help-rate")
	}
	problem := v.Problem(err)
	survey, lost := v.API.Surveys.GetSurvey(v.Ctx(), &apipb.GetSurveyRequest{Token: token})
	if lost != nil {
		return err
	}
	return showSurvey(v, problem.Status, survey, said, problem.Text)
}

// starsOf are the scores that may be given, up to the one that was.
func starsOf(v *page.Visit, given int32) (stars []star) {
	for score := int32(1); score <= 5; score++ {
		stars = append(stars, star{Score: score, Word: v.Word("help.star." + strconv.Itoa(int(score))), Given: score <= given})
	}
	return stars
}

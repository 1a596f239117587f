package desk

// SurveyKeySize is the length of a site's survey key in bytes.
const SurveyKeySize = linkKeySize

// SurveyToken makes the secret of a link by which whoever has it may rate a ticket until a time, in microseconds since
// 1970. Only a site that has the key can make or read it; nothing of it is stored.
func SurveyToken(key []byte, number TicketNumber, expires int64) string {
	return linkToken(surveyLink, key, number, expires)
}

// OpenSurvey returns which ticket a token is for and until when. It refuses a token that was not made with the key, or
// whose time is over at now.
func OpenSurvey(key []byte, token string, now int64) (number TicketNumber, expires int64, err error) {
	number, expires, made := openLink(surveyLink, key, token)
	switch {
	case !made:
		return "", 0, Refuse(NotFound, "UNKNOWN_SURVEY", "this link was not made by this site; ask the service desk for another one")
	case now > expires:
		return "", 0, Refuse(FailedPrecondition, "SURVEY_OVER", "this link was good until %s; ask the service desk for another one",
			spoken(timestamp(expires)))
	}
	return number, expires, nil
}

package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

const (
	// SurveyKeySize is the length of a site's survey key in bytes.
	SurveyKeySize = 32
	surveyMAC     = 16 // bytes
)

// SurveyToken makes the secret of a link by which whoever has it may rate a ticket until a time, in microseconds since
// 1970. Only a site that has the key can make or read it; nothing of it is stored.
func SurveyToken(key []byte, number TicketNumber, expires int64) string {
	content := append(binary.BigEndian.AppendUint64(nil, uint64(expires)), number...)
	return base64.RawURLEncoding.EncodeToString(append(surveySum(key, content), content...))
}

// OpenSurvey returns which ticket a token is for and until when. It refuses a token that was not made with the key, or
// whose time is over at now.
func OpenSurvey(key []byte, token string, now int64) (number TicketNumber, expires int64, err error) {
	raw, decodeErr := base64.RawURLEncoding.Strict().DecodeString(token)
	const head = surveyMAC + 8
	if decodeErr != nil || len(key) != SurveyKeySize || len(raw) <= head || !hmac.Equal(raw[:surveyMAC], surveySum(key, raw[surveyMAC:])) {
		return "", 0, Refuse(NotFound, "UNKNOWN_SURVEY", "this link was not made by this site; ask the service desk for another one")
	}
	expires = int64(binary.BigEndian.Uint64(raw[surveyMAC:head]))
	if now > expires {
		return "", 0, Refuse(FailedPrecondition, "SURVEY_OVER", "this link was good until %s; ask the service desk for another one",
			spoken(timestamp(expires)))
	}
	return TicketNumber(raw[head:]), expires, nil
}

// surveySum proves that the content comes from a holder of the key.
func surveySum(key, content []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("tierdesk survey 1\n"))
	mac.Write(content)
	return mac.Sum(nil)[:surveyMAC]
}

package main

import (
	"bytes"
	"fmt"
)

// openOperations are the calls that need no token: they bring a password, or the secret of a link.
func openOperations() []string {
	return []string{
		"Sessions_CreateSession", "Surveys_GetSurvey", "Surveys_AnswerSurvey",
		"Portal_GetPortal", "Portal_SubmitProblem", "Portal_OpenProblem", "Portal_GetProblem", "Portal_ActOnProblem",
	}
}

// What every operation says of tokens, as it stands in the document.
const (
	required = `
  "security": [
    {
      "bearer": []
    }
  ],`
	scheme = `
    "securitySchemes": {
      "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session, which POST /api/v1/sessions opens, or an access token."
      }
    },`
	unauthenticated = `
          "401": {
            "description": "The call carries no token, or one that is unknown or has expired.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/google.rpc.Status"
                }
              }
            }
          },`
	denied = `
          "403": {
            "description": "The owner of the token may not do this; the message says who may.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/google.rpc.Status"
                }
              }
            }
          },`
)

// secured says in an OpenAPI document that calls carry a bearer token, but for those that are open, and how they are answered
// without one and without a right. The schemas cannot say it themselves: the option for it would tie the code that is generated
// from them to the generator.
func secured(document []byte) ([]byte, error) {
	edits := map[string]string{
		"\n  \"paths\": {":      required + "%s",
		"\n  \"components\": {": "%s" + scheme,
	}
	for _, name := range openOperations() {
		edits[fmt.Sprintf("\n        \"operationId\": %q,", name)] = "%s\n        \"security\": [],"
	}
	for place, edit := range edits {
		if bytes.Count(document, []byte(place)) != 1 {
			return nil, fmt.Errorf("the document does not hold %q once", place)
		}
		document = bytes.Replace(document, []byte(place), fmt.Appendf(nil, edit, place), 1)
	}
	answers := []byte("\n        \"responses\": {")
	return bytes.ReplaceAll(document, answers, append(bytes.Clone(answers), unauthenticated+denied...)), nil
}

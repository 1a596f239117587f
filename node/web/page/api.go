package page

import (
	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// API are the services of the API. Calls carry the visitor's session in their context: see Visit.Ctx.
type API struct {
	Tickets      apipb.TicketsClient
	Queues       apipb.QueuesClient
	Requesters   apipb.RequestersClient
	CallBacks    apipb.CallBacksClient
	Surveys      apipb.SurveysClient
	Notices      apipb.NoticesClient
	Duties       apipb.DutiesClient
	Rounds       apipb.RoundsClient
	Policies     apipb.PoliciesClient
	Publications apipb.PublicationsClient
	Attachments  apipb.AttachmentsClient // ListAttachments alone: contents go by Options.Files
	Sessions     apipb.SessionsClient
	AccessTokens apipb.AccessTokensClient
	Users        apipb.UsersClient
	Sites        apipb.SitesClient
	Tree         apipb.TreeClient
	Recoveries   apipb.RecoveriesClient
	Audits       apipb.AuditsClient
	Portal       apipb.PortalClient
}

func newAPI(c grpc.ClientConnInterface) *API {
	return &API{
		Tickets: apipb.NewTicketsClient(c), Queues: apipb.NewQueuesClient(c), Requesters: apipb.NewRequestersClient(c),
		CallBacks: apipb.NewCallBacksClient(c), Surveys: apipb.NewSurveysClient(c), Notices: apipb.NewNoticesClient(c),
		Duties: apipb.NewDutiesClient(c), Rounds: apipb.NewRoundsClient(c), Policies: apipb.NewPoliciesClient(c),
		Publications: apipb.NewPublicationsClient(c), Attachments: apipb.NewAttachmentsClient(c), Sessions: apipb.NewSessionsClient(c),
		AccessTokens: apipb.NewAccessTokensClient(c), Users: apipb.NewUsersClient(c), Sites: apipb.NewSitesClient(c),
		Tree: apipb.NewTreeClient(c), Recoveries: apipb.NewRecoveriesClient(c), Audits: apipb.NewAuditsClient(c),
		Portal: apipb.NewPortalClient(c),
	}
}

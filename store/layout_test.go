package store

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// The layout is on disk at every site. A change of these bytes needs a new format and a way from the old one.
func TestGoldenRowsOfATicket(t *testing.T) {
	s := openTest(t)
	record := ticket("C-1", func(k *deskpb.Ticket) {
		k.Assignee, k.Group, k.Category, k.Application = "li", "net", "fault", "fsm"
		k.Requester = &deskpb.Requester{Name: "陈", User: "chen", Id: "c1"}
		k.HomeSite, k.CallBack = testSite, &deskpb.CallBack{DueTime: at(2500)}
		k.CustodianSite, k.OpenTime = "330106", at(2*Quarter+7)
		k.Sla = []*deskpb.Sla{
			{State: deskpb.Sla_RUNNING, DueTime: at(2000), Since: at(1000), NextMarkTime: at(1800)}, {State: deskpb.Sla_PAUSED, DueTime: at(1)},
		}
		k.Handover = &deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "330100", Since: at(1500)}
	})
	e := event(t, "C-1", 1000, 9, "a")
	commit(t, s, func(b *Batch) error {
		if err := b.AddEvent(e); err != nil {
			return err
		}
		return b.PutTicket(record)
	})
	const number, updated = "432d310001", "80000000000003e8"
	checkRows(t, s, []string{
		"0101 = 00000001",
		"0102 = 333330313036",
		"0103 = 00000000000000010000000000000001",
		"0106 = 000000010000000000000001",
		"10" + number + " = *",
		"11" + "01" + "0001" + updated + number + " = ",
		"11" + "02" + text("NEW") + "00000003" + "80000000000007d0" + number + " = ",
		"11" + "03" + text("li") + updated + number + " = ",
		"11" + "04" + text("net") + updated + number + " = ",
		"11" + "05" + text("chen") + updated + number + " = ",
		"11" + "06" + text("330106") + updated + number + " = ",
		"11" + "07" + text("fault") + updated + number + " = ",
		"11" + "08" + text("fsm") + updated + number + " = ",
		"11" + "09" + text("c1") + updated + number + " = ",
		"12" + "01" + text("330100") + "80000000000005dc" + number + " = ",
		"13" + number + "80000000000003e8" + text("330106") + "0000000000000007" + "0000000000000009" + " = " + hex.EncodeToString(e.Raw),
		"14" + text("330106") + "0000000000000007" + "0000000000000009" + " = " + number + "80000000000003e8",
		"17" + "8000000000000708" + number + " = ",
		"18" + "80000000000009c4" + "01" + number + " = ",
		"19" + text("li") + number + " = ",
		"1b" + "00" + text("li") + "80000000000007d0" + number + " = ",
		"1b" + "01" + text("net") + "80000000000007d0" + number + " = ",
		"1b" + "07" + text("330106") + "80000000000007d0" + number + " = ",
		"1b" + "08" + text("330106") + "800000006b49d207" + number + " = ",
		"1c" + "00" + text("li") + " = 00000001",
		"1c" + "01" + text("net") + " = 00000001",
		"1c" + "07" + text("330106") + " = 00000001",
		"1c" + "08" + text("330106") + " = 00000001",
		"1d" + text("330106") + "800000006b49d200" + " = 00000001" + strings.Repeat("00000000", 5),
		"64" + text("fsm") + text("fault") + "800000006b49d207" + number + " = ",
	})
}

func TestGoldenRowsOfEverythingElse(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, err := range []error{
			b.PutSequence("20261121", 42),
			b.PutRequest("li", "Create", "r1", &deskpb.RequestMark{}),
			b.PutSite(&deskpb.Site{Id: testSite}),
			b.PutSiteInfo(&deskpb.SiteInfo{Id: "330100"}),
			b.PutLink(&deskpb.Link{Peer: "330100"}),
			b.PutOutbox("330100", 3, &deskpb.OutboxEntry{}),
			b.Park(&deskpb.Parked{Peer: "330100", Sequence: 3, Time: 5}),
			b.PutPublication(&deskpb.Publication{Publisher: "330100", Kind: "notice", Name: "n", Body: []byte("b")}),
			b.PutDelivery(&deskpb.Delivery{Site: "330106", Publisher: "330100", Kind: "notice", Name: "n"}),
			b.PutPlacement(&deskpb.Placement{Site: "330106"}),
			b.PutUser(&deskpb.User{Name: "li"}),
			b.PutSession(session("\x00h", "li", 5)),
			b.PutCustomer(&deskpb.Customer{
				Id: "c1", Name: "Chen", Unit: "财政", User: "chen", Phones: []string{"0571-1"},
				Calls: []*deskpb.CustomerCall{{Kind: deskpb.CustomerCall_VISIT, Due: 5}},
			}),
			b.PutTurn("net", "li"),
			b.PutDuty(&deskpb.SetDuty{User: "li"}),
			b.AddNotice(&deskpb.Notice{User: "li", Time: 5, Key: "k"}),
			b.PutBasePolicy(&deskpb.Policy{Edition: 1}),
			b.PutPastPolicy(&deskpb.Publication{Version: 258}),
			b.PutAudit(AuditRow{1, []byte("entry")}, []byte("h")),
			b.AddCheckpoint(checkpointOf("330106", 1), 5),
			b.PutAuditDenial(&deskpb.AuditCheckpoint{Site: "330106"}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Configuration(2, 1, []byte("c")); err != nil {
		t.Fatal(err)
	}
	checkRows(t, s, []string{
		"0101 = 00000001",
		"0102 = 333330313036",
		"0103 = 00000000000000020000000000000001",
		"0104 = 0000000000000002000000000000000163",
		"0106 = 000000010000000000000002",
		"02" + text("20261121") + " = 0000002a",
		"03" + text("li") + text("Create") + text("r1") + " = *",
		"18" + "8000000000000005" + "02" + text("c1") + " = ",
		"1a" + text("net") + " = 6c69",
		"20 = *",
		"21" + text("330100") + " = *",
		"22" + text("330100") + " = *",
		"23" + text("330100") + "0000000000000003" + " = *",
		"24" + text("330100") + "8000000000000005" + "0000000000000003" + " = *",
		"25" + "01" + text("330100") + text("notice") + text("n") + " = *",
		"25" + "02" + text("330100") + text("notice") + text("n") + " = 62",
		"26" + text("330100") + text("notice") + text("n") + text("330106") + " = *",
		"27" + text("330106") + " = *",
		"30" + text("li") + " = *",
		"31" + "00ff680001" + " = *",
		"32" + text("li") + "00ff680001" + " = ",
		"33" + "8000000000000005" + "00ff680001" + " = ",
		"40" + text("c1") + " = *",
		"41" + "01" + text("05711") + text("c1") + " = ",
		"41" + "02" + text("chen") + text("c1") + " = ",
		"41" + "03" + text("财政") + text("c1") + " = ",
		"41" + "04" + text("chen") + text("c1") + " = ",
		"41" + "06" + text("1") + text("c1") + " = ",
		"41" + "07" + text("11750") + text("c1") + " = ",
		"60" + text("li") + "8000000000000005" + "0000000000000001" + " = *",
		"61" + text("li") + text("k") + " = ",
		"63" + text("li") + " = *",
		"65 = *",
		"66" + "0000000000000102" + " = *",
		"70" + "0000000000000001" + " = " + hex.EncodeToString([]byte("entry")),
		"71" + text("330106") + "8000000000000005" + "0000000000000001" + " = *",
		"72" + "01" + " = " + "0000000000000001" + text("h"),
		"72" + "02" + text("330106") + " = *",
	})
}

func text(s string) string { return hex.EncodeToString([]byte(s)) + "0001" }

// checkRows compares the whole state; a value * is any.
func checkRows(t *testing.T, s *Store, want []string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(dump(t, s), "\n"), "\n")
	for i := range max(len(got), len(want)) {
		var have, expected string
		if i < len(got) {
			have = got[i]
		}
		if i < len(want) {
			expected = want[i]
		}
		if prefix, any := strings.CutSuffix(expected, "*"); have != expected && (!any || !strings.HasPrefix(have, prefix)) {
			t.Errorf("row %d is %q, want %q", i, have, expected)
		}
	}
}

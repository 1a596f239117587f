package tiers

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// answerQuestions is the parent's part in a comparison: one answer to each question of the child, in their order.
func (s *session) answerQuestions(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case frame := <-s.mail:
			answer, err := s.answerTo(ctx, frame)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("compare with %s: %w", s.peer, err)
			}
			if !s.wire.send(ctx, answer) {
				return nil
			}
		}
	}
}

func (s *session) answerTo(ctx context.Context, frame *linkpb.Frame) (*linkpb.Frame, error) {
	switch question := frame.Content.(type) {
	case *linkpb.Frame_Compare:
		differences, err := s.differ(ctx, question.Compare)
		return &linkpb.Frame{Content: &linkpb.Frame_Differences{Differences: differences}}, err
	case *linkpb.Frame_Holdings:
		gift, err := s.compose(question.Holdings)
		s.countGiven(gift)
		return &linkpb.Frame{Content: &linkpb.Frame_Gift{Gift: gift}}, err
	case *linkpb.Frame_Gift:
		return &linkpb.Frame{Content: &linkpb.Frame_Gift{Gift: &linkpb.Gift{}}}, s.unite(ctx, question.Gift.Events)
	}
	return nil, fmt.Errorf("a frame of kind %T is no question", frame.Content)
}

// countGiven notes that the peer takes a gift, which it does by one command unless the gift is empty. A gift that is lost ends the
// stream.
func (s *session) countGiven(gift *linkpb.Gift) {
	if len(gift.GetEvents()) > 0 {
		s.given.Add(1)
	}
}

// differ holds the child's ranges against what this site has.
func (s *session) differ(ctx context.Context, question *linkpb.Compare) (*linkpb.Differences, error) {
	if len(question.Ranges) > maxRanges {
		return nil, fmt.Errorf("%d ranges in one question are too many", len(question.Ranges))
	}
	answer := &linkpb.Differences{}
	for _, theirs := range question.Ranges {
		ours, err := s.tally(ctx, theirs.From, theirs.To)
		if err != nil {
			return nil, err
		}
		difference := &linkpb.Difference{}
		switch {
		case same(theirs, ours.whole()):
		case ours.tickets <= maxListed:
			difference.Listed, difference.Tickets = true, ours.listed
		default:
			difference.Parts = ours.parts()
		}
		answer.Ranges = append(answer.Ranges, difference)
	}
	return answer, nil
}

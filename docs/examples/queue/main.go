// Command queue has no HTTP: a user's session travels with a job on a message queue,
// and the worker, which can't mint, checks it when the job's turn comes.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Rights are what a job may do in the user's name.
type Rights struct{ MayDelete bool }

// config is for jobs alone: no session of the website passes for one.
var config = token.Config{Issuer: "example.com", Audience: "jobs", Lifetime: 2 * time.Hour, MaxAge: 2 * time.Hour}

// A Job is a message: what to do, and on whose behalf.
type Job struct {
	Token string
	Text  string
}

// A Desk takes orders of users who have logged in, and can mint.
type Desk struct{ issuer *token.Issuer[Rights] }

// Order returns the message for a job of subject.
func (d *Desk) Order(subject, text string, r Rights) (Job, error) {
	tok, _, err := d.issuer.Issue(subject, r)
	return Job{tok, text}, err
}

// A Worker does jobs. It has an Opener and no Sealer.
type Worker struct {
	verifier *token.Verifier[Rights]
	denied   revocation.Checker
	do       func(subject, text string, r Rights) error
}

// ErrRefused is a job that will never be done: drop it.
var ErrRefused = errors.New("job refused")

// Handle does a job, or returns an error that wraps ErrRefused. After any other error
// the queue is to deliver the job again: nobody could tell.
func (w *Worker) Handle(ctx context.Context, j Job) error {
	s, err := w.verifier.Verify(j.Token)
	if err == nil {
		err = w.denied.Check(ctx, s.Claims)
	}
	switch {
	case errors.Is(err, token.ErrInvalid):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case err != nil:
		return err
	}
	return w.do(s.Subject, j.Text, s.Data())
}

func main() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring() // the desk: keys.Open; the worker: keys.OpenVerifyOnly
	if err != nil {
		log.Fatal(err)
	}
	denied := new(revocation.Memory) // of both: a redislist.List
	desk := &Desk{token.NewIssuer[Rights](ring, config)}
	worker := &Worker{token.NewVerifier[Rights](ring, config), denied, func(subject, text string, _ Rights) error {
		fmt.Println(subject+":", text)
		return nil
	}}

	queue := make(chan Job, 8) // or Kafka, NATS, SQS
	for _, order := range []struct{ who, what string }{{"alice", "print the report"}, {"mallory", "delete the report"}} {
		job, err := desk.Order(order.who, order.what, Rights{})
		if err != nil {
			log.Fatal(err)
		}
		queue <- job
	}
	if err := denied.Revoke(context.Background(), revocation.Subject("mallory", config.MaxAge)); err != nil {
		log.Fatal(err)
	}
	close(queue)
	for job := range queue {
		if err := worker.Handle(context.Background(), job); err != nil {
			fmt.Println(err)
		}
	}
}

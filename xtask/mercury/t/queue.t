# /push and /pull: one puller gets it, and they take turns.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

my $broker = broker();

# What happens, and who gets the messages: `A` joins, `-A` leaves, a number pushes so many.
my @TABLE = (
    ['A B C 7',               'ABCABCA'],
    ['A B 1 C 5',             'ABCABC'],
    ['A B 2 C 5',             'ABABCAB'],
    ['A B C -A 3',            'BCB'],
    ['A B C -B 3',            'ACA'],
    ['A B C -C 3',            'ABA'],
    ['A B C 1 -A 3',          'ABCB'],
    ['A B C 1 -B 3',          'ACAC'],
    ['A B C 1 -C 3',          'ABAB'],
    ['A B C 2 -A 3',          'ABCBC'],
    ['A B C 2 -B 3',          'ABCAC'],
    ['A B C 2 -C 3',          'ABABA'],
    ['A B C 3 -A 2',          'ABCBC'],
    ['A B 1 -A 2',            'ABB'],
    ['A B 1 -A -B C 2',       'ACC'],
    ['A B 1 -B -A C 2',       'ACC'],
    ['A B C 2 -A -B -C D E 3', 'ABDED'],
    ['A 1 -A 1 B 1',          'A-B'],
);

# With the cursor of the original.
my @STUCK = (
    ['A B C 7',               'ABCABCA'],
    ['A B C 1 -A 3',          'ACBC'],
    ['A B C 1 -B 3',          'AACA'],
    ['A B C 2 -A 2',          'AB--'],
    ['A B C 2 -C 3',          'ABBAB'],
    ['A B 1 -A 2 D 4',        'A--DBDB'],
    ['A B 1 -A -B C 1 D 3',   'A-DCD'],
    ['A B C 2 -A -B -C D E F 4', 'ABFDEF'],
);

sub turns ($broker, $topic, $story) {
    my (%pullers, $turns);
    for my $event (split ' ', $story) {
        if    ($event =~ /\A-(.)/)  { (delete $pullers{$1})->leave }
        elsif ($event =~ /\A[A-Z]/) { $pullers{$event} = $broker->peer("/pull/$topic") }
        else                        { $turns .= $broker->turn("/push/$topic", $_, \%pullers) for 1 .. $event }
    }
    return $turns;
}

subtest 'pullers take turns in the order in which they joined, whoever leaves' => sub {
    my $topic = 0;
    is turns($broker, $topic++, $_->[0]), $_->[1], $_->[0] for @TABLE;
};

subtest 'stuck-rotation: turns are skipped, taken twice, and messages lost' => sub {
    my $stuck = broker('--defect', 'stuck-rotation');
    my $topic = 0;
    is turns($stuck, $topic++, $_->[0]), $_->[1], $_->[0] for @STUCK;
};

subtest 'pushers and POST share one turn, and pushers hear nothing' => sub {
    my ($one, $two) = map { $broker->peer('/push/shared') } 1, 2;
    my ($a, $b) = map { $broker->peer('/pull/shared') } 1, 2;
    $one->say('1');
    is $a->next, 'text 1';
    $two->say('2');
    is $b->next, 'text 2';
    is $broker->post('/push/shared' => '3'), 200;
    is $a->next, 'text 3';
    $one->leave;
    is $one->next, 'closed 1000';
};

subtest 'what a puller sends is ignored' => sub {
    my $puller = $broker->peer('/pull/quiet');
    ok $puller->say('x')->handled;
    is $broker->post('/push/quiet' => 'the mark'), 200;
    is $puller->next, 'text the mark';
};

subtest 'a leaving puller is gone before it reads the answer to its Close' => sub {
    my $stays = $broker->peer('/pull/leave');
    for my $round (1 .. 30) {
        $broker->peer('/pull/leave')->leave;
        is $broker->turn('/push/leave', $round, { S => $stays }), 'S';
    }
};

subtest 'without a puller the message is dropped: 503, and 500 with no-puller-500' => sub {
    is $broker->post('/push/nobody' => 'x'), 503;
    my $pusher = $broker->peer('/push/nobody');
    $pusher->say('lost');
    ok $pusher->handled, 'the pusher stays';
    my $puller = $broker->peer('/pull/nobody');
    $pusher->say('found');
    is $puller->next, 'text found';
    is broker('--defect', 'no-puller-500')->post('/push/nobody' => 'x'), 500;
};

done_testing;

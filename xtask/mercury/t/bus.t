# /bus: everybody hears everybody else.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

my $broker = broker();

subtest 'all others hear it, the sender does not' => sub {
    my ($ann, $bob, $cem) = map { $broker->peer('/bus/talk') } 1 .. 3;
    $ann->say('one');
    is $_->next, 'text one' for $bob, $cem;
    $bob->say('two');
    is $_->next, 'text two' for $ann, $cem;
};

subtest 'an echo is asked for, and comes once' => sub {
    my $other = $broker->peer('/bus/echo');
    my $peer  = $broker->peer('/bus/echo?echo=1');
    $peer->say('one')->say('two');
    is $_->next, 'text one' for $peer, $other;
    is $_->next, 'text two' for $peer, $other;
};

subtest 'what counts as asking is what Perl counts as true, and the last word counts' => sub {
    my %asks = (
        '' => 0, '?echo' => 0, '?echo=' => 0, '?echo=0' => 0, '?ECHO=1' => 0, '?echo=1&echo=0' => 0,
        '?echo=1' => 1, '?echo=no' => 1, '?echo=00' => 1, '?echo=0.0' => 1, '?echo=%20' => 1, '?echo=0&echo=1' => 1,
    );
    for my $query (sort keys %asks) {
        my $peer = $broker->peer("/bus/asks$query");
        my $topic_mate = $broker->peer('/bus/asks');
        $peer->say('mine');
        is $topic_mate->next, 'text mine';
        $topic_mate->say('the mark');
        is $peer->next, $asks{$query} ? 'text mine' : 'text the mark', "'$query'";
        $_->leave for $peer, $topic_mate;
    }
};

subtest 'a POST reaches every peer' => sub {
    my @peers = map { $broker->peer($_) } '/bus/post', '/bus/post?echo=1';
    is $broker->post('/bus/post' => 'all'), 200;
    is $_->next, 'text all' for @peers;
    is $broker->post('/bus/nobody' => 'x'), 200;
};

subtest 'topics are apart, have no ancestors, and differ by case and by a last slash' => sub {
    my $peer = $broker->peer('/bus/a');
    $broker->post($_ => $_) for '/bus/a/b', '/bus/A', '/bus/a/', '/bus/b', '/pub/a', '/push/a';
    $broker->post('/bus/%61?x=1' => 'the mark');
    is $peer->next, 'text the mark';
};

subtest 'all hear one order' => sub {
    my @peers = map { $broker->peer('/bus/order?echo=1') } 1 .. 3;
    for my $round (1 .. 50) { $peers[$_]->say("$_ $round") for 0 .. 2 }
    my @orders;
    for my $peer (@peers) { push @orders, join ',', map { $peer->next } 1 .. 150 }
    is $orders[$_], $orders[0] for 1, 2;
    unlike $orders[0], qr/nothing|closed/;
};

# What the broker keeps of forty peers that left, in MiB, when 4 MiB are sent to each.
sub growth ($kind, $way, @options) {
    my $broker = broker(@options);
    my $stays  = $broker->peer("/$kind/old");
    $_->leave for map { $broker->peer("/$kind/old") } 1 .. 40;
    my $before = $broker->memory // return undef;
    my $large = 'x' x 200_000;
    for (1 .. 20) { $broker->post("/$way/old" => $large); $stays->next }
    return $broker->memory - $before;
}

for my $pair ([bus => 'bus'], [sub => 'pub']) {
    subtest "whoever left /$pair->[0] is forgotten, unless dead-peers" => sub {
        my $right = growth(@$pair);
        plan skip_all => 'the system does not tell the memory of a process' if !defined $right;
        cmp_ok $right, '<', 60, 'forgotten';
        cmp_ok growth(@$pair, '--defect', 'dead-peers'), '>', 100, 'dead-peers';
    };
}

done_testing;

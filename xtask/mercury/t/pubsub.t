# /pub and /sub: topics have ancestors.
use Mojo::Base -strict, -signatures;
use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::More;
use TestBroker;

my $broker = broker();

# The subscription, what is published, and whether it arrives.
my @TABLE = map { [split] } grep {/\S/} split /\n/, <<'END';
a      a            yes
a      a/b          yes
a      a/b/c/d/e/f  yes
a      a//b         yes
a/b    a            no
a/b    a/c          no
a/b    a/b/c        yes
a      ab           no
a      A            no
a/     a            no
a      a/           no
a/     a/           yes
a/     a/b          no
a      a/b/         yes
a/b    a/b/         no
a/     a//b         yes
a//    a//b         no
a      a//          no
/a     a            no
a      /a           no
/a     /a           yes
/a     /a/b         yes
0      0/1          yes
a%2Fb  a/b          yes
%61    a            yes
a+b    a%2Bb        yes
a.b    a/b          no
*      a            no
END

subtest 'the subscribers of a topic and of its ancestors hear it' => sub {
    my $number = 0;
    for my $row (@TABLE) {
        my ($filter, $topic, $arrives) = @$row;
        # One segment in front keeps the rows apart; a topic that begins with a slash has it after.
        my $peer = $broker->peer("/sub/$filter");
        is $broker->post("/pub/$topic" => 'it'), 200 if $topic;
        $broker->post("/pub/$filter" => 'the mark');
        is $peer->next, $arrives eq 'yes' ? 'text it' : 'text the mark', "$filter <- $topic: $arrives";
        $peer->leave;
    }
};

subtest 'a publisher may be a WebSocket, and hears nothing' => sub {
    my ($publisher, $deaf) = ($broker->peer('/pub/news/x'), $broker->peer('/pub/news/x'));
    my ($near, $far) = ($broker->peer('/sub/news/x'), $broker->peer('/sub/news'));
    $publisher->say('one')->say('two');
    for my $peer ($near, $far) { is $peer->next, "text $_" for qw(one two) }
    $deaf->leave;
    is $deaf->next, 'closed 1000';
};

subtest 'what a subscriber sends is ignored' => sub {
    my ($one, $two) = map { $broker->peer('/sub/quiet') } 1, 2;
    ok $one->say('x')->handled;
    $broker->post('/pub/quiet' => 'the mark');
    is $_->next, 'text the mark' for $one, $two;
};

subtest 'membership begins before the handshake is answered' => sub {
    for my $round (1 .. 50) {
        my $peer = $broker->peer('/sub/fast');
        $broker->post('/pub/fast' => $round);
        is $peer->next, "text $round";
    }
};

subtest 'bus, pub/sub and push/pull have topics of their own' => sub {
    my %receivers = map { $_ => $broker->peer("/$_/same") } qw(bus sub pull);
    my %route = (bus => 'bus', pub => 'sub', push => 'pull');
    $broker->post("/$_/same" => $_) for sort keys %route;
    is $receivers{ $route{$_} }->next, "text $_" for sort keys %route;
    $broker->post("/$_/same" => 'the mark') for sort keys %route;
    is $receivers{$_}->next, 'text the mark' for sort keys %receivers;
};

done_testing;
